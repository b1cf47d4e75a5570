"""Reasons: why a sentence gave no signal, as far as the steps before the parse can say it.

The engine is asked how far each sentence came: whether the gate let it pass, what the sentence model held likeliest,
whether it was parsed.
"""

# ruff: noqa: RUF001, RUF002 - typographic quotes are the matter here

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.extraction import sentences
from pipeline.extraction.engine import MAX_PARSED, READ, Engine, Progress
from pipeline.extraction.sentences import Sentence

if TYPE_CHECKING:
    from pipeline.extraction.engine import Extraction
    from pipeline.records import Article, Signal

LACKING = {"no actor": "no known actor", "one actor": "one actor where two are needed"}
NAMED_WORDS = 2
"""How many of a sentence's trigger words a reason names."""
ENOUGH = 2
"""Actors with whom any trigger passes the gate."""
_WORD = re.compile(r"\w[\w'’-]*")


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence: its signals, or why it has none.

    Attributes:
        sentence: The sentence.
        signals: What it gave, in order.
        why: Where it gave nothing, the reason; else empty.
    """

    sentence: Sentence
    signals: tuple[Signal, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """One article, sentence by sentence.

    Attributes:
        article: The article.
        passages: Its sentences in order; empty where its language is not read.
        note: What holds of the whole article: it is not English, it was cut; else empty.
    """

    article: Article
    passages: tuple[Passage, ...]
    note: str = ""


class Explainer:
    """Says why sentences gave nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def explain(self, article: Article, extraction: Extraction) -> Explained:
        """``extraction`` of ``article``, sentence by sentence."""
        if article.language not in READ:
            return Explained(article, (), f"not read: its language is given as {article.language!r}, not English")
        found = sentences.split(article.title, article.text)
        told: dict[int, list[Signal]] = {}
        for signal in extraction.signals:
            told.setdefault(signal.evidence.sentence_index, []).append(signal)
        progress = self._engine.progress(article)
        passages = tuple(
            Passage(s, tuple(told.get(s.index, ())), "" if s.index in told else self._why(s, progress[s.index]))
            for s in found
        )
        return Explained(article, passages, _note(extraction, found))

    def _why(self, sentence: Sentence, came: Progress) -> str:
        if came.gate == "no trigger":
            return came.gate
        if came.gate != "passed":
            return f"{self._said(sentence)}, but {LACKING[came.gate]}"
        if came.likeliest is not None and not came.parsed:
            return f"{self._said(sentence)}, but no event: at most {came.likeliest}, {came.sure:.0%} sure"
        if not came.parsed:
            return f"not looked into: only the first {MAX_PARSED} are"
        return f"{self._said(sentence)}, but judged to be no event"

    def _said(self, sentence: Sentence) -> str:
        """Those words of the sentence that the gate lets through by themselves: ``‘strike’, ‘talks’``."""
        words = [
            Sentence(sentence.part, number, match.start(), match.end(), match[0])
            for number, match in enumerate(_WORD.finditer(sentence.text))
        ]
        passed = self._engine.gate.passed(sentence.text, words, {word.index: ENOUGH for word in words})
        found = list(dict.fromkeys(word.text for word in passed))
        quoted = ", ".join(f"‘{word}’" for word in found[:NAMED_WORDS])
        return f"{quoted}, …" if len(found) > NAMED_WORDS else quoted or "its words together are a trigger"


def _note(extraction: Extraction, found: Sequence[Sentence]) -> str:
    if extraction.cut:
        return f"only its first {sentences.MAX_TEXT:,} characters are read"
    return f"only its first {sentences.MAX_SENTENCES} sentences are read" if _full(found) else ""


def _full(found: Sequence[Sentence]) -> bool:
    return len(found) == sentences.MAX_SENTENCES
