"""Reasons: why a sentence gave no signal, as far as the steps before the parse can say it.

The engine says of an article how many sentences passed the gate, not which, nor why the others did not. Here the same
steps are taken again, and the gate is asked what would have passed had actors been named.
"""

# ruff: noqa: RUF001, RUF002 - typographic quotes are the matter here

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.lexicon import Lexicon, load_lexicon
from config.names import load_gazetteer
from config.settings import PACKAGED
from pipeline.extraction import reading, sentences
from pipeline.extraction.engine import MAX_PARSED, NAMES_AS_OF, READ, UNDATED
from pipeline.extraction.gate import Gate
from pipeline.extraction.names import NameMatcher
from pipeline.extraction.scene import WHO
from pipeline.extraction.sentences import Sentence

if TYPE_CHECKING:
    from config.settings import Settings
    from pipeline.extraction.engine import Extraction
    from pipeline.records import Article, Signal
    from pipeline.records.signal import TextPart

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
    """Says why sentences gave nothing. Made once, then read-only."""

    def __init__(self, lexicon: Lexicon, names: NameMatcher) -> None:
        self._names = names
        self._gate = Gate(lexicon)

    @classmethod
    def load(cls, settings: Settings) -> Explainer:
        """What the engine of the same settings goes by.

        Raises:
            ConfigError: Lexicon or gazetteer are wrong.
        """
        lexicon = load_lexicon(_or_packaged(settings.config_dir / "lexicon.yaml"))
        return cls(lexicon, NameMatcher(load_gazetteer(_or_packaged(settings.gazetteer_dir))))

    def explain(self, article: Article, extraction: Extraction) -> Explained:
        """``extraction`` of ``article``, sentence by sentence."""
        if article.language not in READ:
            return Explained(article, (), f"not read: its language is given as {article.language!r}, not English")
        found = sentences.split(article.title, article.text)
        told: dict[int, list[Signal]] = {}
        for signal in extraction.signals:
            told.setdefault(signal.evidence.sentence_index, []).append(signal)
        reasons = self._reasons(article, found)
        passages = tuple(
            Passage(s, tuple(told.get(s.index, ())), "" if s.index in told else reasons[s.index]) for s in found
        )
        return Explained(article, passages, _note(extraction, found))

    def _reasons(self, article: Article, found: Sequence[Sentence]) -> dict[int, str]:
        parts: dict[TextPart, str] = {
            "title": article.title[: sentences.MAX_SENTENCE],
            "text": article.text[: sentences.MAX_TEXT],
        }
        acting = self._acting(article, found, parts)
        reasons: dict[int, str] = {}
        passed: list[Sentence] = []
        for part, text in parts.items():
            own = [sentence for sentence in found if sentence.part == part]
            through = self._gate.passed(text, own, acting)
            passed += through
            reasons |= self._gated(text, own, acting)
            reasons |= {s.index: f"{self._said(s)}, but judged to be no event" for s in through}
        reasons |= {s.index: f"not looked into: only the first {MAX_PARSED} are" for s in passed[MAX_PARSED:]}
        return reasons

    def _acting(self, article: Article, found: Sequence[Sentence], parts: dict[TextPart, str]) -> dict[int, int]:
        """How many who can act each sentence names; those that name none are left out."""
        as_of = NAMES_AS_OF if article.published_at == UNDATED else article.published_at.date()
        mentions = {
            part: self._names.mentions(text, as_of, article.drill) if text else [] for part, text in parts.items()
        }
        named = reading.by_sentence(found, mentions)
        codes = {i: {n.code for n in names if n.code and n.kind in WHO} for i, names in named.items()}
        return {i: len(different) for i, different in codes.items() if different}

    def _gated(self, text: str, own: Sequence[Sentence], acting: dict[int, int]) -> Iterator[tuple[int, str]]:
        """Why each sentence would not pass the gate; what is said of those that do is overruled."""
        triggered = {s.index for s in self._gate.passed(text, own, {s.index: ENOUGH for s in own})}
        for sentence in own:
            if sentence.index not in triggered:
                yield sentence.index, "no trigger"
            elif sentence.index in acting:
                yield sentence.index, f"{self._said(sentence)}, but one actor where two are needed"
            else:
                yield sentence.index, f"{self._said(sentence)}, but no known actor"

    def _said(self, sentence: Sentence) -> str:
        """Those words of the sentence that the gate lets through by themselves: ``‘strike’, ‘talks’``."""
        words = [
            Sentence(sentence.part, number, match.start(), match.end(), match[0])
            for number, match in enumerate(_WORD.finditer(sentence.text))
        ]
        passed = self._gate.passed(sentence.text, words, {word.index: ENOUGH for word in words})
        found = list(dict.fromkeys(word.text for word in passed))
        quoted = ", ".join(f"‘{word}’" for word in found[:NAMED_WORDS])
        return f"{quoted}, …" if len(found) > NAMED_WORDS else quoted or "its words together are a trigger"


def _note(extraction: Extraction, found: Sequence[Sentence]) -> str:
    if extraction.cut:
        return f"only its first {sentences.MAX_TEXT:,} characters are read"
    return f"only its first {sentences.MAX_SENTENCES} sentences are read" if _full(found) else ""


def _full(found: Sequence[Sentence]) -> bool:
    return len(found) == sentences.MAX_SENTENCES


def _or_packaged(path: Path) -> Path:
    """``path``, or what the package brings where the operator's folder has none of its own."""
    return path if path.exists() else PACKAGED / path.name
