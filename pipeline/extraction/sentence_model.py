"""The sentence model: a small network that judges, of each sentence, which event types it holds and in what modality.

It is run by onnxruntime on one core, from files that were made by ``pipeline/training``; nothing is ever downloaded. It
sees a sentence's words alone: who acts on whom is left to the parse.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from config.errors import BrinkwatchError
from pipeline.extraction.parser import plain
from pipeline.records import EventType, Modality

if TYPE_CHECKING:
    from tokenizers import Encoding

PACKAGED = Path(__file__).parent / "model"
GRAPH, TOKENIZER, FUSION, CHECKSUMS = "judge.onnx", "tokenizer.json", "fusion.json", "checksums.txt"
TYPES = tuple(EventType)
MODALITIES = tuple(Modality)
BATCH = 16
"""Sentences of like length that are judged together: more would be padded more, fewer would use the core less well."""
MAX_TOKENS = 96

Floats = NDArray[np.float32]


class SentenceModelError(BrinkwatchError):
    """The sentence model is missing, damaged, or not one that this version can run."""


@dataclass(frozen=True, eq=False, slots=True)
class Opinion:
    """What the model says of one sentence.

    Attributes:
        types: Probability of each event type, ``[15]`` in the order of ``TYPES``.
        modalities: Of each type that of each modality, if it is there, ``[15, 8]``.
        attention: At which tokens each type looked, ``[15, tokens]``; a row adds up to 1.
        manner: The same for its modality.
        offsets: Where each token stands in the sentence; (0, 0) for the model's own marks.
    """

    types: Floats
    modalities: Floats
    attention: Floats
    manner: Floats
    offsets: tuple[tuple[int, int], ...]

    def weights(self, kind: EventType, *, manner: bool = False) -> Iterator[tuple[tuple[int, int], float]]:
        """Where ``kind`` looked: each token's place in the sentence and its share."""
        row = (self.manner if manner else self.attention)[TYPES.index(kind)]
        for place, share in zip(self.offsets, row, strict=False):
            if place[1] > place[0]:
                yield place, float(share)


class SentenceModel:
    """The network and its tokenizer. Made once a process, then read-only.

    Attributes:
        name: With the first digits of its checksum, for ``extractor`` of each signal.
        folder: Where it was read from.
    """

    def __init__(self, folder: Path) -> None:
        """Read the files of ``folder``.

        Raises:
            SentenceModelError: A file is missing, or is not the one whose checksum was written down.
        """
        import onnxruntime
        from tokenizers import Tokenizer

        digests = verify(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(
                (folder / GRAPH).read_bytes(), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # noqa: BLE001 - both libraries raise exceptions of their own, of no common class
            raise SentenceModelError(f"loading the sentence model failed: {folder}: {error}") from None
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self.folder = folder
        self.name = f"judge-{digests[GRAPH][:8]}"

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """An opinion of each sentence, in order. Only the first ``MAX_TOKENS`` tokens of each are read."""
        encodings = self._tokenizer.encode_batch([plain(text) for text in texts])
        found: list[Opinion | None] = [None] * len(texts)
        for length, rows in _by_length(encodings):
            batch = [encodings[row] for row in rows]
            for row, opinion in zip(rows, self._run(batch, length), strict=True):
                found[row] = opinion
        return [opinion for opinion in found if opinion is not None]

    def _run(self, encodings: Sequence[Encoding], length: int) -> Iterator[Opinion]:
        ids = np.zeros((len(encodings), length), np.int64)
        mask = np.zeros((len(encodings), length), np.int64)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        names = ["types", "modalities", "attention", "manner_attention"]
        types, modalities, attention, manner = self._session.run(names, {"ids": ids, "mask": mask})
        for row, encoding in enumerate(encodings):
            yield Opinion(types[row], modalities[row], attention[row], manner[row], tuple(encoding.offsets))


def _by_length(encodings: Sequence[Encoding]) -> Iterator[tuple[int, list[int]]]:
    """Rows in batches of like length, each with the length of its longest."""
    rows = sorted(range(len(encodings)), key=lambda row: len(encodings[row].ids))
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        yield len(encodings[batch[-1]].ids), batch


def verify(folder: Path) -> dict[str, str]:
    """SHA-256 of each file that ``checksums.txt`` names, after checking it.

    Raises:
        SentenceModelError: A file is missing or another.
    """
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
        expected = {name: digest for digest, name in (line.split(maxsplit=1) for line in lines if line.strip())}
        found = {name: hashlib.sha256((folder / Path(name).name).read_bytes()).hexdigest() for name in expected}
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise SentenceModelError(f"loading the sentence model failed: {folder}: {error}") from None
    for name in (GRAPH, TOKENIZER, FUSION):
        if name not in expected:
            raise SentenceModelError(f"loading the sentence model failed: {folder / CHECKSUMS}: {name} is not listed")
    for name, digest in expected.items():
        if found[name] != digest:
            sums = f"checksum {found[name][:12]}…, expected {digest[:12]}…"
            raise SentenceModelError(f"loading the sentence model failed: {folder / name}: damaged or changed ({sums})")
    return found


def read_json(path: Path) -> Any:
    """A small JSON file of the model.

    Raises:
        SentenceModelError: It can't be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise SentenceModelError(f"loading the sentence model failed: {path}: {error}") from None
