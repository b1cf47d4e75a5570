"""The network and its export, where the libraries that train are installed: they must be one and the same function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jax", reason="needs the extra `train`")
pytest.importorskip("optax", reason="needs the extra `train`")
pytest.importorskip("onnxruntime", reason="needs the extra `train`")

from config.names import load_gazetteer
from config.settings import PACKAGED
from pipeline.records import EventType, Modality
from pipeline.training import export
from pipeline.training.base import LENGTHS, Base, TrainingError, load_base, pad, padded_length
from pipeline.training.corpus import Template
from pipeline.training.fill import cast
from pipeline.training.fit import Plan, Trainer, average, batches, shuffled
from pipeline.training.graph import build, quantise_rows
from pipeline.training.labels import targets
from pipeline.training.model import Dropout, first_heads
from pipeline.training.vary import Habits

TEXTS = ["Troops mass at the border", "A cat sat on a mat, officials said on Tuesday, before it went off to hunt mice."]


@pytest.fixture(scope="module")
def base() -> Base:
    try:
        return load_base()
    except TrainingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def trainer(base: Base) -> Trainer:
    return Trainer(base, cast(load_gazetteer(PACKAGED / "gazetteer")), Plan(epochs=8, batch=4, tuned=1))


def lines() -> list[Template]:
    said = ("{A} shells {B}", "{A} to hold talks with {B}", "{A.adj} bakers compete in {A.capital}", "{A} bombs {G}")
    events = (((EventType.FORCE, Modality.ASSERTED),), ((EventType.TALKS, Modality.PLANNED),), (), ())
    return [
        Template("one.jsonl", at, text, "headline", held)
        for at, (text, held) in enumerate(zip(said, events, strict=True))
    ]


def test_lengths_hold_their_tokens() -> None:
    """Every sentence fits the length it is padded to, and the longest are cut, not dropped."""
    assert [padded_length(count) for count in (1, 16, 17, 96, 500)] == [16, 16, 24, 96, 96]
    ids, mask = pad([[5, 6], [7]], LENGTHS[0])
    assert (ids[0, :3].tolist(), mask.sum(1).tolist()) == ([5, 6, 0], [2.0, 1.0])


def test_targets_share_modalities() -> None:
    """Two modalities of one type share its target; an absent type has none."""
    types, modalities = targets([[(EventType.FORCE, Modality.ASSERTED), (EventType.FORCE, Modality.NEGATED)], []])
    assert types.sum(1).tolist() == [1.0, 0.0]
    assert sorted(modalities[0, 3].tolist())[-2:] == [0.5, 0.5]


def test_batches_are_full_and_lose_nothing() -> None:
    """Each row is asked or trained at least once, and all batches have the size that is compiled."""
    assert batches([1, 2, 3], 2) == [([1, 2], []), ([3], [3])]
    cut = shuffled({16: [0, 1, 2], 24: [3]}, 2, np.random.default_rng(0))
    assert {row for picks in cut for row in picks} == {0, 1, 2, 3}
    assert {len(picks) for picks in cut} == {2}


def test_embeddings_lose_little() -> None:
    """A row of int8 and its scale give the row back within half a step, also where a row is all zeros."""
    table = np.array([[0.1, -2.0], [0.001, 0.0], [0.0, 0.0]], np.float32)
    rows, scales = quantise_rows(table)
    assert np.abs(rows * scales - table).max() <= float(scales.max()) / 2


def test_dropout_keeps_the_mean() -> None:
    """A share of zeros, the rest raised: what training sees is on average what runs; each place forgets otherwise."""
    import jax

    dropout = Dropout(0.25, jax.random.key(0))
    one, other = (np.asarray(dropout.of(np.ones((50, 400), np.float32), place)) for place in (0, 1))
    assert abs(one.mean() - 1) < 0.02
    assert abs((one == 0).mean() - 0.25) < 0.01
    assert (one != other).any()


def test_members_are_averaged() -> None:
    """A model of several trainings is their mean, weight by weight; of one, itself."""
    one = {"heads": {"bias": np.array([1.0, 3.0])}}
    other = {"heads": {"bias": np.array([2.0, 5.0])}}
    assert average([one, other])["heads"]["bias"].tolist() == [1.5, 4.0]
    assert average([one])["heads"]["bias"].tolist() == [1.0, 3.0]


def test_only_training_sentences_are_changed(trainer: Trainer) -> None:
    """Habits change sentences and their labels together; without them the rows are the corpus as it is written."""
    plain = trainer.rows(lines(), 0)
    joined = trainer.rows(lines(), 0, Habits(0, 1, 0, 0, 0, 0))
    assert plain.types.sum(1).tolist() == [1.0, 1.0, 0.0, 0.0]
    assert joined.types.sum() >= plain.types.sum()
    assert sum(mask.sum() for mask in joined.masks) > sum(mask.sum() for mask in plain.masks)


def test_weights_are_stored_in_a_byte_each(base: Base) -> None:
    """What ships holds the encoder's large weights as int8 and its products in float32: small file, exact sums."""
    from onnx import TensorProto

    model = build(base.weights, first_heads(0), packed=True)
    floats = sum(
        np.prod(constant.dims) for constant in model.graph.initializer if constant.data_type == TensorProto.FLOAT
    )
    assert floats < 400_000
    assert {node.op_type for node in model.graph.node}.isdisjoint({"MatMulInteger", "DynamicQuantizeLinear"})


@pytest.mark.slow
def test_training_is_seeded_and_learns(trainer: Trainer) -> None:
    """The same seed gives the same weights to the last bit, and the loss falls."""
    told: list[str] = []
    first, second = trainer.fit(lines(), told.append), trainer.fit(lines(), told.append)
    assert all(np.array_equal(first["heads"][name], second["heads"][name]) for name in first["heads"])
    losses = [float(text.split("loss ")[1].split(",")[0]) for text in told]
    assert losses[7] < losses[0]


@pytest.mark.slow
def test_the_export_is_the_same_function(base: Base, trainer: Trainer, tmp_path: Path) -> None:
    """The graph that ships gives the network's probabilities, int8 nearly so, and fits the wheel."""
    heads = {name: head * 4 for name, head in first_heads(0).items()}
    full, small = export.export(base.weights, heads, tmp_path)
    trained = trainer.ask({"layers": dict(base.weights), "heads": heads}, trainer.texts(TEXTS))[0]
    exact, near = (export.Judge(base, path).ask(TEXTS)[0] for path in (full, small))
    parity = export.compare(trained, exact, near, small)
    assert parity.exact < 0.005
    assert parity.mean < 0.02
    assert parity.megabytes < 30


def test_another_function_is_refused(tmp_path: Path) -> None:
    """A graph that answers otherwise than the network never ships."""
    (tmp_path / "judge.onnx").write_bytes(b"")
    with pytest.raises(TrainingError, match=r"differs by 0\.900"):
        export.compare(np.zeros((1, 15)), np.full((1, 15), 0.9), np.zeros((1, 15)), tmp_path / "judge.onnx")  # type: ignore[arg-type]


def test_the_tokenizer_survives_its_trimming(base: Base, tmp_path: Path) -> None:
    """What ships cuts words as the base does, and long texts at the same token."""
    from tokenizers import Tokenizer

    export.write_tokenizer(base, tmp_path)
    trimmed = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert trimmed.encode(TEXTS[0]).ids == base.tokenizer.encode(TEXTS[0]).ids
    assert len(trimmed.encode("word " * 500).ids) == 96
