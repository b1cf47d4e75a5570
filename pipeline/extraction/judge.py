"""The judge: the sentence model, how its opinion is weighed against the rules', and who is at odds with whom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from config.rivals import Rivals
from pipeline.extraction.fusion import Fusion, load_fusion
from pipeline.extraction.sentence_model import PACKAGED, SentenceModel


@dataclass(frozen=True, slots=True)
class Judge:
    """What decides beside the rules."""

    model: SentenceModel
    fusion: Fusion
    rivals: Rivals


def load_judge(choice: str, rivals: Rivals) -> Judge | None:
    """The judge by its setting: ``auto`` for the model that is shipped, ``none``, or a folder.

    Raises:
        SentenceModelError: The model is missing or damaged.
    """
    if choice == "none":
        return None
    folder = PACKAGED if choice == "auto" else Path(choice)
    return Judge(SentenceModel(folder), load_fusion(folder), rivals)
