"""The sentence model that ships: whole, verified, and the same whatever it is asked beside."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from config.rivals import Rivals
from pipeline.extraction.judge import load_judge
from pipeline.extraction.sentence_model import PACKAGED, TYPES, SentenceModel, SentenceModelError, verify
from pipeline.records import EventType

SENTENCES = [
    "Oslo sent two frigates towards the strait on Monday, the ministry said.",
    "The bakery won a prize.",
    "“We will answer any attack,” the general said, and he said so again and again " + "and again " * 90,
    "",
    "Chad closed its embassy in Khartoum",
]


@pytest.fixture(scope="module")
def model() -> SentenceModel:
    return SentenceModel(PACKAGED)


def test_alone_or_in_a_batch(model: SentenceModel) -> None:
    """A sentence's opinion must not depend on what it was judged beside, or signals would differ at a re-read."""
    together = model.judge(SENTENCES)
    for sentence, opinion in zip(SENTENCES, together, strict=True):
        (alone,) = model.judge([sentence])
        assert np.allclose(alone.types, opinion.types, atol=1e-4)
        assert np.allclose(alone.modalities, opinion.modalities, atol=1e-4)


def test_it_looks_at_words_of_the_sentence(model: SentenceModel) -> None:
    """Attention is given by places in the sentence: they lie inside it, and the deed gets more than the weekday."""
    text = SENTENCES[0]
    (opinion,) = model.judge([text])
    assert TYPES[int(opinion.types.argmax())] is EventType.DEPLOYMENT
    shares: dict[str, float] = {}
    for (start, end), share in opinion.weights(EventType.DEPLOYMENT):
        assert 0 <= start < end <= len(text)
        shares[text[start:end]] = shares.get(text[start:end], 0.0) + share
    assert shares["sent"] + shares["fr" if "fr" in shares else "frigates"] > shares["Monday"]


def test_typographic_marks_keep_places(model: SentenceModel) -> None:
    """Curly quotes are read as plain ones, character for character: a place must not shift."""
    curly, plain = model.judge(["Kenya “will not” attack.", 'Kenya "will not" attack.'])
    assert curly.offsets == plain.offsets
    assert np.allclose(curly.types, plain.types, atol=1e-5)


def test_nobody_is_asked_of_nothing(model: SentenceModel) -> None:
    """Ordinary articles ask of no sentence at all."""
    assert model.judge([]) == []


@pytest.mark.parametrize("name", ["judge.onnx", "tokenizer.json", "fusion.json"])
def test_a_changed_file_is_refused(tmp_path: Path, name: str) -> None:
    """A damaged or exchanged file must stop the start and be named: it would judge in silence."""
    folder = Path(shutil.copytree(PACKAGED, tmp_path / "model"))
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(SentenceModelError, match=f"{name}: damaged or changed"):
        verify(folder)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    """A folder without a model, and a model without one of its files, say which."""
    with pytest.raises(SentenceModelError, match="nowhere"):
        load_judge(str(tmp_path / "nowhere"), Rivals())
    (tmp_path / "checksums.txt").write_text("", encoding="utf-8")
    with pytest.raises(SentenceModelError, match=r"judge\.onnx is not listed"):
        verify(tmp_path)


def test_rules_can_stand_alone() -> None:
    """The setting `none` needs no file."""
    assert load_judge("none", Rivals()) is None
