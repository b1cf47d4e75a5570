"""The command that fits how the sentence model and the rules are weighed together, and the probabilities that come out.

    python -m pipeline.training.fuse --model build/judge

Reads the validation lines (which the model never saw), filled with names; asks model and rules; fits ``fusion.json`` of
the model's folder; prints the figures of each alone and of both together. Needs only what the product itself needs.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from config.errors import BrinkwatchError
from config.names import load_gazetteer
from config.rivals import Rivals
from config.settings import PACKAGED, load_settings
from pipeline.extraction import events
from pipeline.extraction.engine import Engine
from pipeline.extraction.fusion import LEAST
from pipeline.extraction.lines import Line, as_article
from pipeline.extraction.prominence import is_background, is_routine
from pipeline.extraction.scene import Scene
from pipeline.extraction.sentence_model import FUSION, MODALITIES, TYPES, Floats, SentenceModel
from pipeline.training.checksums import write_checksums
from pipeline.training.corpus import FOLDER, Event, Template, load_corpus
from pipeline.training.fill import Cast, cast, fill
from pipeline.training.labels import targets
from pipeline.training.measure import Answers, choose_thresholds, measure
from pipeline.training.split import split

if TYPE_CHECKING:
    from numpy.typing import NDArray

Say = Callable[[str], None]

COPIES = range(1_000, 1_003)
"""Fillings of the validation lines that no pass of the training uses."""
STEPS = 25
RIDGE = 2.0
"""Pull of each type's own bias towards none: a type has only some dozens of lines."""
SLOPES = (0.4, 0.6, 0.8, 1.0, 1.2)
TRUSTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Heard:
    """Lines with what is so and both opinions.

    Attributes:
        answers: The model's probabilities and the labels.
        ruled: ``[n, 15, 8]``, 1 where a rule found the type in the modality.
    """

    answers: Answers
    ruled: Floats


def hear(templates: Sequence[Template], actors: Cast, model: SentenceModel, rules: Engine) -> Heard:
    """Ask model and rules of every template, filled anew for each copy."""
    texts = [fill(template, actors, 0, copy) for copy in COPIES for template in templates]
    opinions = model.judge(texts)
    types, modalities = targets([template.events for _ in COPIES for template in templates])
    answers = Answers(
        np.stack([o.types for o in opinions]), np.stack([o.modalities for o in opinions]), types, modalities
    )
    return Heard(answers, by_rules(texts, rules))


def by_rules(texts: Sequence[str], rules: Engine) -> Floats:
    """What the rules find in each text, ``[n, 15, 8]``."""
    found = np.zeros((len(texts), len(TYPES), len(MODALITIES)), np.float32)
    articles = [as_article(Line(id=number, text=text, language="en")) for number, text in enumerate(texts)]
    for start in range(0, len(articles), 64):
        for row, scenes in enumerate(rules.scenes(articles[start : start + 64]), start):
            for kind, modality in itertools.chain.from_iterable(map(_reported, scenes)):
                found[row, TYPES.index(kind), MODALITIES.index(modality)] = 1
    return found


def _reported(scene: Scene) -> Iterator[Event]:
    """What the sentence reports, without what it only mentions."""
    told = events.by_rules(scene)
    reported = [e for e in told if not is_background(e, told) and not is_routine(e, Rivals())]
    yield from ((e.candidate.kind, e.verdict.modality) for e in reported)


def fit(heard: Heard) -> dict[str, Any]:
    """What ``fusion.json`` holds."""
    slope, rule, bias = _fit_types(heard)
    thresholds = choose_thresholds(_fused(heard, slope, rule, bias, heard.answers.modalities))
    votes = _votes(heard)
    manner_slope, trust = _fit_manner(heard, votes)
    return {
        "types": {
            "slope": round(slope, 3),
            "rule": round(rule, 3),
            "bias": {str(kind): round(float(value), 3) for kind, value in zip(TYPES, bias, strict=True)},
            "threshold": {str(kind): round(float(value), 2) for kind, value in zip(TYPES, thresholds, strict=True)},
        },
        "modalities": {
            "slope": manner_slope,
            "votes": {
                str(said): {str(so): round(float(trust * votes[i, j]), 3) for j, so in enumerate(MODALITIES)}
                for i, said in enumerate(MODALITIES)
            },
        },
    }


def fused(heard: Heard, fitted: dict[str, Any]) -> Answers:
    """Both opinions together, as the engine weighs them."""
    kinds, manner = fitted["types"], fitted["modalities"]
    votes = np.array([[manner["votes"][said][so] for so in MODALITIES] for said in MODALITIES])
    bias = np.array([kinds["bias"][kind] for kind in TYPES])
    return _fused(heard, kinds["slope"], kinds["rule"], bias, _manner(heard, manner["slope"], votes))


def _fused(heard: Heard, slope: float, rule: float, bias: NDArray[Any], modalities: Floats) -> Answers:
    odds = slope * _odds(heard) + rule * _found(heard) + bias
    sure = np.asarray(1 / (1 + np.exp(-odds)), np.float32)
    return Answers(sure, modalities, heard.answers.true_types, heard.answers.true_modalities)


def _odds(heard: Heard) -> NDArray[Any]:
    kept = np.clip(heard.answers.types.astype(np.float64), LEAST, 1 - LEAST)
    return np.asarray(np.log(kept / (1 - kept)))


def _found(heard: Heard) -> NDArray[Any]:
    return np.asarray(heard.ruled.sum(-1) > 0, np.float64)


def _fit_types(heard: Heard) -> tuple[float, float, NDArray[Any]]:
    """Logistic regression by Newton's method: a slope, a rule's weight and a bias of each type."""
    true = (heard.answers.true_types > 0).astype(np.float64).ravel()
    count, kinds = heard.answers.types.shape
    design = np.concatenate(
        [_odds(heard).reshape(-1, 1), _found(heard).reshape(-1, 1), np.tile(np.eye(kinds), (count, 1))], 1
    )
    pull = np.diag([0.01, 0.01, *[RIDGE] * kinds])
    weights = np.array([1.0, 1.0, *[0.0] * kinds])
    for _ in range(STEPS):
        sure = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (sure - true) + pull @ weights
        curvature = (design * (sure * (1 - sure))[:, None]).T @ design + pull
        weights = weights - np.linalg.solve(curvature, gradient)
    return float(weights[0]), float(weights[1]), weights[2:]


def _votes(heard: Heard) -> NDArray[Any]:
    """``[said, so]``: log of how much likelier the rules say one modality where another is so than at large."""
    both = (heard.ruled.sum(-1) == 1) & (heard.answers.true_modalities.sum(-1) > 0)
    said, so = heard.ruled[both], heard.answers.true_modalities[both]
    counts = said.T @ so
    at_large = (counts.sum(1) + 1) / (counts.sum() + len(MODALITIES))
    given = (counts + 4 * at_large[:, None]) / (counts.sum(0) + 4)
    return np.asarray(np.log(given / at_large[:, None]))


def _manner(heard: Heard, slope: float, votes: NDArray[Any]) -> Floats:
    score = slope * np.log(np.clip(heard.answers.modalities, LEAST, 1)) + heard.ruled @ votes
    spread = np.exp(score - score.max(-1, keepdims=True))
    return np.asarray(spread / spread.sum(-1, keepdims=True), np.float32)


def _fit_manner(heard: Heard, votes: NDArray[Any]) -> tuple[float, float]:
    """The model's weight and the trust in the rules under which the labels are likeliest."""
    there = heard.answers.true_types > 0
    so = heard.answers.true_modalities[there]

    def likelihood(slope: float, trust: float) -> float:
        spread = _manner(heard, slope, trust * votes)[there]
        return float((so * np.log(np.clip(spread, LEAST, 1))).sum())

    tried = [(slope, trust) for slope in SLOPES for trust in TRUSTS]
    return max(tried, key=lambda pair: likelihood(*pair))


def _write(fitted: dict[str, Any], folder: Path) -> None:
    (folder / FUSION).write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")
    write_checksums(folder)


def _neutral() -> dict[str, Any]:
    zero = {str(so): 0.0 for so in MODALITIES}
    return {
        "types": {
            "slope": 1.0,
            "rule": 0.0,
            "bias": {str(kind): 0.0 for kind in TYPES},
            "threshold": {str(kind): 0.5 for kind in TYPES},
        },
        "modalities": {"slope": 1.0, "votes": {str(said): zero for said in MODALITIES}},
    }


def fuse(folder: Path, validation: Sequence[Template], actors: Cast, say: Say) -> None:
    """Ask both of the ``validation`` lines, fit how they are weighed, and write it to the model's ``folder``."""
    _write(_neutral(), folder)
    heard = hear(validation, actors, SentenceModel(folder), Engine.load(load_settings(sentence_model="none")))
    fitted = fit(heard)
    _write(fitted, folder)
    alone = np.array([0.5] * len(TYPES), np.float32)
    limits = np.array([fitted["types"]["threshold"][kind] for kind in TYPES], np.float32)
    say(f"model: {json.dumps(measure(heard.answers, alone).summary())}")
    say(f"both:  {json.dumps(measure(fused(heard, fitted), limits).summary())}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; see the module."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.training.fuse", description="Weigh model and rules.")
    parser.add_argument("--model", type=Path, default=Path("build/judge"), help="folder of the model's files")
    parser.add_argument("--corpus", type=Path, default=FOLDER, help="folder of the corpus")
    options = parser.parse_args(arguments)
    try:
        validation = split(load_corpus(options.corpus)).validation
        fuse(options.model, validation, cast(load_gazetteer(PACKAGED / "gazetteer")), print)
    except BrinkwatchError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command prints
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
