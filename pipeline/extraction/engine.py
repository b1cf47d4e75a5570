"""The engine: articles in, signals out. Pure: the same article always gives the same signals, with the same ids.

    article ─▶ sentences ─▶ names ─▶ gate ─▶ sentence model ─▶ parse of what it accepts ─▶ scenes ─▶ events ─▶ signals

Model and parse each take the whole batch in one go. Where the sentence model is turned off, everything that passes the
gate is parsed and the rules alone judge.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from config.lexicon import Lexicon, load_lexicon
from config.names import load_gazetteer
from config.rivals import load_rivals
from config.settings import or_packaged
from pipeline.extraction import gate as gates
from pipeline.extraction import parser, quotes, reading, sentences
from pipeline.extraction.assembly import signals
from pipeline.extraction.gate import Gate, count_actors
from pipeline.extraction.judge import Judge, load_judge
from pipeline.extraction.names import NameMatcher
from pipeline.extraction.scene import Scene
from pipeline.extraction.sentence_model import TYPES
from pipeline.records import Article, EventType, Signal
from pipeline.records.signal import Extractor

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

    from config.settings import Settings
    from pipeline.extraction.names import Mention
    from pipeline.extraction.sentence_model import Opinion
    from pipeline.extraction.sentences import Sentence
    from pipeline.records.signal import TextPart

Outcome = Literal["signals", "silent", "gated", "language"]
READ = frozenset({"en", "und"})
MAX_PARSED = 100
"""Sentences of one article that are parsed, the first ones: a crisis report has some 25 that pass the gate; a hostile
page of nothing else must not hold up its partition."""
MAX_CHARACTERS = 60_000
"""Characters of them: a parse takes as long as its sentence, and hostile sentences are as long as they may be."""
LONGER = 4
"""Sentences from which on an article is long enough to tell of its subject more than once."""
SURE = 0.85
"""Confidence that a single sentence of a longer article needs."""
UNDATED = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""``published_at`` of an article whose date nobody knows: then only dates that need no comparison make history."""
NAMES_AS_OF = dt.date(2026, 1, 1)
"""When the gazetteer is asked who holds which office, for undated articles: a constant, for the clock is no input."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one sentence came.

    Attributes:
        gate: What the gate said.
        likeliest: The event type that the sentence model finds likeliest; None where it was not asked.
        sure: With what probability, should a rule agree.
        parsed: Whether the model found that enough for a parse.
    """

    gate: gates.Verdict
    likeliest: EventType | None = None
    sure: float = 0.0
    parsed: bool = False


@dataclass(frozen=True, slots=True)
class Extraction:
    """What became of one article.

    Attributes:
        article_id: The article.
        outcome: ``language``: not English; ``gated``: no sentence was worth parsing; ``silent``: nothing was found.
        signals: What was found, in order.
        sentences: How many sentences it has.
        gated: How many of them passed the gate.
        parsed: How many of them were parsed.
        cut: Whether the text was longer than is read.
    """

    article_id: str
    outcome: Outcome
    signals: tuple[Signal, ...]
    sentences: int
    gated: int
    parsed: int = 0
    cut: bool = False


class Engine:
    """Reads articles. Made once a process (two seconds), then read-only."""

    def __init__(
        self, nlp: Language, lexicon: Lexicon, names: NameMatcher, model: str, judge: Judge | None = None
    ) -> None:
        self._nlp = nlp
        self._judge = judge
        self._lexicon = lexicon
        self._names = names
        self.gate = Gate(lexicon)
        self._extractor = Extractor(version=version("brinkwatch"), model=model)

    @classmethod
    def load(cls, settings: Settings) -> Engine:
        """The engine that ``settings`` describe.

        Raises:
            ConfigError: Lexicon, gazetteer or rivals are wrong.
            ModelError: The language model is missing or does not fit.
            SentenceModelError: The sentence model is missing or damaged.
        """
        lexicon = load_lexicon(or_packaged(settings.config_dir / "lexicon.yaml"))
        gazetteer = load_gazetteer(or_packaged(settings.gazetteer_dir))
        names = NameMatcher(gazetteer)
        nlp = parser.load_model(settings.spacy_model, lexicon.hyphenated)
        model = f"{nlp.meta['lang']}_{nlp.meta['name']}-{nlp.meta['version']}"
        rivals = load_rivals(or_packaged(settings.config_dir / "rivals.yaml"), gazetteer.codes())
        judge = load_judge(settings.sentence_model, rivals)
        return cls(nlp, lexicon, names, model if judge is None else f"{model} {judge.model.name}", judge)

    def extract(self, articles: Sequence[Article]) -> list[Extraction]:
        """What each article says, in order; the sentences of all are parsed in one go."""
        readings = self._judged([self._read(a) if a.language in READ else None for a in articles])
        parsed = self._parse([r for r in readings if r is not None])
        parses = iter(parsed)
        return [
            self._finish(article, got, next(parses) if got is not None else {})
            for article, got in zip(articles, readings, strict=True)
        ]

    def progress(self, article: Article) -> dict[int, Progress]:
        """How far each sentence of ``article`` came, by its index: for people who ask why it gave nothing."""
        read = self._read(article)
        parts = _parts(article)
        acting = count_actors(read.mentions)
        found = {
            index: Progress(verdict, parsed=index in read.gated)
            for part, text in parts.items()
            for index, verdict in self.gate.verdicts(
                text, [s for s in read.sentences if s.part == part], acting
            ).items()
        }
        return found if self._judge is None else found | self._considered(read, self._judge)

    @staticmethod
    def _considered(read: reading.Reading, judge: Judge) -> dict[int, Progress]:
        """The outcomes of the sentences that the model was asked of."""
        asked = sorted(read.gated)
        found = {}
        for index, opinion in zip(asked, judge.model.judge([read.sentences[i].text for i in asked]), strict=True):
            likeliest = max(TYPES, key=lambda kind: judge.fusion.probability(opinion, kind, ruled=True))
            sure = judge.fusion.probability(opinion, likeliest, ruled=True)
            found[index] = Progress("passed", likeliest, sure, judge.fusion.worth_parsing(opinion))
        return found

    def scenes(self, articles: Sequence[Article]) -> list[list[Scene]]:
        """The parsed sentences of each article, in order, before anything is judged: for those who measure."""
        read = (self._read(article) for article in articles)
        readings = [replace(r, chosen=_chosen(r, r.gated)) for r in read]
        docs = self._parse(readings)
        return [list(reading.scenes(r, d, self._lexicon)) for r, d in zip(readings, docs, strict=True)]

    def _read(self, article: Article) -> reading.Reading:
        """Everything before the parse."""
        found = sentences.split(article.title, article.text)
        published = None if article.published_at == UNDATED else article.published_at.date()
        parts = _parts(article)
        mentions = {part: self._mentions(text, published, drill=article.drill) for part, text in parts.items()}
        named = reading.by_sentence(found, mentions)
        acting = count_actors(named)
        quoted = {part: quotes.find(text) for part, text in parts.items()}
        passed = [
            sentence.index
            for part, text in parts.items()
            for sentence in self.gate.passed(text, [s for s in found if s.part == part], acting)
        ]
        gated = frozenset(sorted(passed)[:MAX_PARSED])
        return reading.Reading(tuple(found), named, quoted, (), gated, published)

    def _judged(self, readings: Sequence[reading.Reading | None]) -> list[reading.Reading | None]:
        """The readings with the model's opinions, and with only those sentences to be parsed that it accepts."""
        if self._judge is None:
            return [r and replace(r, chosen=_chosen(r, r.gated)) for r in readings]
        asked = [(place, index) for place, r in enumerate(readings) if r is not None for index in sorted(r.gated)]
        texts = [r.sentences[index].text for place, index in asked if (r := readings[place]) is not None]
        opinions: list[dict[int, Opinion]] = [{} for _ in readings]
        for (place, index), opinion in zip(asked, self._judge.model.judge(texts), strict=True):
            if self._judge.fusion.worth_parsing(opinion):
                opinions[place][index] = opinion
        return [
            r and replace(r, opinions=held, chosen=_chosen(r, frozenset(held)))
            for r, held in zip(readings, opinions, strict=True)
        ]

    def _mentions(self, text: str, published: dt.date | None, *, drill: bool) -> list[Mention]:
        return self._names.mentions(text, published or NAMES_AS_OF, drill) if text else []

    def _parse(self, readings: Sequence[reading.Reading]) -> list[dict[int, Doc]]:
        """The parses of each article's chosen sentences, by index."""
        wanted = [(place, r.sentences[index], r) for place, r in enumerate(readings) for index in r.chosen]
        texts = [parser.readable(s.text, self._kept(s, r)) for _, s, r in wanted]
        found: list[dict[int, Doc]] = [{} for _ in readings]
        for (place, sentence, _), doc in zip(wanted, parser.parse(self._nlp, texts), strict=True):
            found[place][sentence.index] = doc
        return found

    @staticmethod
    def _kept(sentence: Sentence, read: reading.Reading) -> list[tuple[int, int]]:
        """Where the sentence has names."""
        return [(m.start - sentence.start, m.end - sentence.start) for m in read.mentions[sentence.index]]

    def _finish(self, article: Article, read: reading.Reading | None, docs: dict[int, Doc]) -> Extraction:
        if read is None:
            return Extraction(article.article_id, "language", (), 0, 0)
        found = tuple(
            signal
            for scene in reading.scenes(read, docs, self._lexicon)
            for signal in signals(article, scene, self._extractor, self._judge)
        )
        if self._judge is not None:
            found = _without_strays(found, len(read.sentences))
        outcome: Outcome = "signals" if found else "silent" if read.gated else "gated"
        cut = len(article.text) > sentences.MAX_TEXT
        return Extraction(article.article_id, outcome, found, len(read.sentences), len(read.gated), len(docs), cut)


def _parts(article: Article) -> dict[TextPart, str]:
    """What of the article is read."""
    return {"title": article.title[: sentences.MAX_SENTENCE], "text": article.text[: sentences.MAX_TEXT]}


def _without_strays(found: tuple[Signal, ...], sentences: int) -> tuple[Signal, ...]:
    """Of a longer article of which a single sentence tells of events, only what is sure.

    News of a crisis tells of it more than once; one hard word in a report on something else is a figure of speech more
    often than an event.
    """
    if sentences < LONGER or len({signal.evidence.sentence_index for signal in found}) != 1:
        return found
    return tuple(signal for signal in found if signal.confidence >= SURE)


def _chosen(read: reading.Reading, accepted: frozenset[int]) -> tuple[int, ...]:
    """The ``accepted`` sentences and their speakers', the first within ``MAX_PARSED`` and ``MAX_CHARACTERS``."""
    chosen = reading.with_speakers(accepted, read.sentences, read.quoted)[:MAX_PARSED]
    lengths = accumulate(len(read.sentences[index].text) for index in chosen)
    return tuple(index for index, length in zip(chosen, lengths, strict=True) if length <= MAX_CHARACTERS)
