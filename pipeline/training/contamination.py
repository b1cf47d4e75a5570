"""Is a line of the corpus too close to a text that measures? By runs of words, and by likeness of sentences.

    python -m pipeline.training.contamination [--shared ../shared]

Prints file, line and score of corpus lines only, never the text that measures. Exit code 1 when a line is too close.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from config.errors import BrinkwatchError
from pipeline.training.base import LENGTHS, Base, Floats, TrainingError, load_base, pad, padded_length
from pipeline.training.corpus import FOLDER, PLACEHOLDER, Template, load_corpus
from pipeline.training.fill import fill_neutral

FOLDERS = ("eval", "streams", "seed")
TOO_LONG = 8
"""A run of so many words in common is no accident."""
REPORTED = 6
"""Runs from this length on are told, for a person to judge."""
TOO_LIKE = 0.9
"""Cosine of mean-pooled MiniLM vectors from which two sentences say the same."""
SENTENCE = re.compile(r"(?<=[.!?])[\"'”\u2019)]*\s+|\n+")
LEAST_WORDS = 3

Embed = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True, slots=True)
class Closeness:
    """How close one line of the corpus is to the nearest text that measures.

    Attributes:
        template: The line.
        run: The longest run of words in common, 0 if below ``REPORTED``.
        cosine: Likeness to the nearest sentence, 0 if it was not measured.
    """

    template: Template
    run: int
    cosine: float

    @property
    def too_close(self) -> bool:
        """Whether the line must go."""
        return self.run >= TOO_LONG or self.cosine >= TOO_LIKE


def words(text: str) -> list[str]:
    """Lower-case words and numbers; a placeholder breaks runs, so it becomes ``|``."""
    return re.findall(r"[a-z0-9']+|\|", PLACEHOLDER.sub("|", text).lower().replace("\u2019", "'"))


def runs(text: str, length: int) -> set[str]:
    """Every run of ``length`` words without a placeholder."""
    found = words(text)
    cut = (found[start : start + length] for start in range(len(found) - length + 1))
    return {" ".join(run) for run in cut if "|" not in run}


def longest_run(text: str, known: dict[int, set[str]]) -> int:
    """The greatest length of which ``text`` shares a run, 0 if none."""
    return max((length for length, seen in known.items() if runs(text, length) & seen), default=0)


def read_texts(shared: Path) -> list[str]:
    """Every text of the folders that measure: all strings of JSON and JSON Lines, whole files of plain text."""
    found: list[str] = []
    for folder in FOLDERS:
        for path in sorted((shared / folder).rglob("*")):
            if path.suffix in {".json", ".jsonl", ".txt"} and path.is_file():
                found += _texts(path)
    return found


def _texts(path: Path) -> Iterator[str]:
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".txt":
        yield content
        return
    try:
        rows = (
            [json.loads(content)]
            if path.suffix == ".json"
            else [json.loads(row) for row in content.splitlines() if row]
        )
    except ValueError as error:
        raise TrainingError(f"contamination can't be checked: {path}: no JSON ({error})") from None
    yield from _strings(rows)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def sentences(texts: Iterable[str]) -> list[str]:
    """The distinct sentences of ``texts`` with three words or more."""
    cut = (part.strip() for text in texts for part in SENTENCE.split(text))
    return sorted({part for part in cut if len(part.split()) >= LEAST_WORDS})


def by_runs(templates: Sequence[Template], texts: Sequence[str]) -> list[int]:
    """The longest run that each template shares with any of ``texts``."""
    known = {length: {run for text in texts for run in runs(text, length)} for length in range(REPORTED, TOO_LONG + 1)}
    return [longest_run(template.text, known) for template in templates]


def by_likeness(templates: Sequence[Template], measured: Sequence[str], embed: Embed, block: int = 4096) -> list[float]:
    """The cosine of each template, its placeholders filled neutrally, with the likest sentence of ``measured``."""
    corpus = embed([fill_neutral(template) for template in templates])
    best = np.full(len(templates), -1.0, np.float32)
    for start in range(0, len(measured), block):
        near = corpus @ embed(measured[start : start + block]).T
        best = np.maximum(best, near.max(1))
    return [float(cosine) for cosine in best]


def embedder(base: Base) -> Embed:
    """Sentences as vectors ``[n, 384]`` of length 1, mean-pooled as the base model was trained."""
    import jax  # type: ignore[import-not-found, unused-ignore]  # only where models are trained

    from pipeline.training.model import embed, encode, mean_pool

    weights = {name: jax.numpy.asarray(tensor) for name, tensor in base.weights.items()}
    run = jax.jit(lambda ids, mask: mean_pool(encode(weights, embed(weights, ids), mask), mask))
    size = 64

    def vectors(texts: Sequence[str]) -> Floats:
        tokens = [encoding.ids for encoding in base.tokenizer.encode_batch(list(texts))]
        found = np.zeros((len(texts), 384), np.float32)
        for length in LENGTHS:
            same = [row for row, ids in enumerate(tokens) if padded_length(len(ids)) == length]
            for start in range(0, len(same), size):
                picks = same[start : start + size]
                spare = [picks[-1]] * (size - len(picks))
                found[picks] = np.asarray(run(*pad([tokens[row] for row in picks + spare], length)))[: len(picks)]
        return found

    return vectors


def check(templates: Sequence[Template], shared: Path, embed: Embed | None) -> list[Closeness]:
    """Each template's closeness; without ``embed`` by runs of words only."""
    texts = read_texts(shared)
    lengths = by_runs(templates, texts)
    likeness = by_likeness(templates, sentences(texts), embed) if embed else [0.0] * len(templates)
    return [Closeness(*found) for found in zip(templates, lengths, likeness, strict=True)]


def report(found: Sequence[Closeness]) -> Iterator[str]:
    """One line for each corpus line that is too close or shares a run, the closest first, and a summary."""
    for close in sorted(found, key=lambda close: (-close.run, -close.cosine)):
        if close.run or close.too_close:
            mark = "TOO CLOSE" if close.too_close else "shares a run"
            length = str(close.run) if close.run else f"fewer than {REPORTED}"
            yield f"{close.template.place}: {mark}: {length} words, cosine {close.cosine:.2f}"
    too_close = sum(close.too_close for close in found)
    runs_found = sum(close.run > 0 for close in found)
    yield (
        f"{len(found)} lines, {too_close} too close, {runs_found} share a run of {REPORTED} words or more, "
        f"greatest cosine {max((close.cosine for close in found), default=0.0):.2f}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; see the module."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.training.contamination", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with eval/, streams/ and seed/")
    parser.add_argument("--corpus", type=Path, default=FOLDER, help="folder of the corpus")
    parser.add_argument("--words-only", action="store_true", help="no likeness of sentences: needs no base model")
    options = parser.parse_args(arguments)
    if not (options.shared / "eval").is_dir():
        print(f"skipped: {options.shared}: no folder with texts that measure")  # noqa: T201 - a command prints
        return 0
    try:
        embed = None if options.words_only else embedder(load_base())
        found = check(load_corpus(options.corpus), options.shared, embed)
    except BrinkwatchError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command prints
        return 1
    for line in report(found):
        print(line)  # noqa: T201 - a command prints
    return int(any(close.too_close for close in found))


if __name__ == "__main__":
    sys.exit(main())
