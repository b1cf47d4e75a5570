"""The trained network as files: the graph, its tokenizer, its thresholds, its card and their checksums."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.training import graph
from pipeline.training.base import LENGTHS, Base, Floats, TrainingError, pad, padded_length
from pipeline.training.corpus import MODALITIES, TYPES

MODEL = "judge.onnx"
MAX_BYTES = 30_000_000
EXACT = 0.002
"""How far the float32 graph's probabilities may lie from the trained network's on average: its embeddings are int8
already, which moves single ones by some hundredths; another function would move most."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the exported graphs are from the trained network, over validation.

    Attributes:
        exact: Mean difference of a type's probability, float32 graph.
        mean: Mean difference, int8 graph.
        worst: Greatest difference, int8 graph.
        agreement: Share of types on whose presence (at one half) the int8 graph agrees.
        megabytes: Size of the int8 file.
    """

    exact: float
    mean: float
    worst: float
    agreement: float
    megabytes: float


class Judge:
    """The exported graph, as the engine runs it: sentences in, probabilities out, on one core."""

    def __init__(self, base: Base, path: Path) -> None:
        import onnxruntime  # type: ignore[import-not-found, unused-ignore]  # only where models are exported

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._tokenizer = base.tokenizer

    def ask(self, texts: Sequence[str], size: int = 32) -> tuple[Floats, Floats]:
        """Probabilities of the types ``[n, 15]`` and of each one's modalities ``[n, 15, 8]``."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        types = np.zeros((len(texts), len(TYPES)), np.float32)
        modalities = np.zeros((len(texts), len(TYPES), len(MODALITIES)), np.float32)
        for length in LENGTHS:
            same = [row for row, ids in enumerate(tokens) if padded_length(len(ids)) == length]
            for start in range(0, len(same), size):
                picks = same[start : start + size]
                ids, mask = pad([tokens[row] for row in picks], length)
                given = {"ids": ids.astype(np.int64), "mask": mask.astype(np.int64)}
                types[picks], modalities[picks] = self._session.run(["types", "modalities"], given)
        return types, modalities


def export(weights: Mapping[str, Floats], heads: Mapping[str, Floats], folder: Path) -> tuple[Path, Path]:
    """Write the float32 graph (to compare with) and the int8 graph (to ship).

    Raises:
        TrainingError: The int8 file is too large for the wheel.
    """
    import onnx  # type: ignore[import-not-found, unused-ignore]  # only where models are exported

    folder.mkdir(parents=True, exist_ok=True)
    full, small = folder / "judge.float32.onnx", folder / MODEL
    onnx.save(graph.build(weights, heads, packed=False), full)
    onnx.save(graph.build(weights, heads, packed=True), small)
    if small.stat().st_size > MAX_BYTES:
        raise TrainingError(f"model can't be exported: {small}: {small.stat().st_size} bytes, at most {MAX_BYTES}")
    return full, small


def compare(trained: Floats, full: Floats, small: Floats, path: Path) -> Parity:
    """The probabilities of types ``[n, 15]`` of the network, its float32 and its int8 graph.

    Raises:
        TrainingError: The float32 graph is another function than the network.
    """
    exact = float(np.abs(trained - full).mean())
    if exact > EXACT:
        raise TrainingError(f"model can't be exported: {path}: differs by {exact:.3f} on average from what was trained")
    off = np.abs(trained - small)
    agreement = float(((trained > 0.5) == (small > 0.5)).mean())  # noqa: PLR2004 - one half
    return Parity(exact, float(off.mean()), float(off.max()), agreement, path.stat().st_size / 1e6)


def write_tokenizer(base: Base, folder: Path) -> None:
    """The base's tokenizer, cutting at ``MAX_TOKENS``, without padding and without white space."""
    compact = json.dumps(json.loads(base.tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(compact, encoding="utf-8")
