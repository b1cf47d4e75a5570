"""The gate on both sides: what passes that need not, and what is lost that should pass."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.lexicon import load_lexicon
from config.names import load_gazetteer
from config.settings import PACKAGED, load_settings
from pipeline.extraction import engine as engine_module
from pipeline.extraction import sentences
from pipeline.extraction.gate import Gate, Verdict, count_actors
from pipeline.extraction.lines import Line, as_article
from pipeline.extraction.names import NameMatcher
from pipeline.extraction.reading import by_sentence
from pipeline.training.corpus import load_corpus
from pipeline.training.fill import cast, fill
from tests.bench.corpus import articles, drill_articles, kinds

if TYPE_CHECKING:
    from pipeline.extraction.sentences import Sentence
    from pipeline.records import Article
    from pipeline.records.signal import TextPart

MEASURED = Path(__file__).parents[3] / "shared"
"""Texts that the project does not hold: they are counted, where they are present, and never printed."""
BATCH = 20


class Open(Gate):
    """A gate that everything passes."""

    def passed(self, text: str, sentences: Sequence[Sentence], actors: Any) -> list[Sentence]:
        """Every sentence."""
        del text, actors
        return list(sentences)


@dataclass(frozen=True)
class Ground:
    """Articles on which the gate is measured.

    Attributes:
        articles: All of them.
        ordinary: Which of them are ordinary news, by place.
    """

    articles: Sequence[Article]
    ordinary: frozenset[int] = frozenset()


def verdicts(gate: Gate, names: NameMatcher, title: str, text: str, drill: bool = False) -> dict[int, Verdict]:
    """What the gate says of each sentence of an article, by index."""
    found = sentences.split(title, text)
    parts: dict[TextPart, str] = {"title": title[: sentences.MAX_SENTENCE], "text": text[: sentences.MAX_TEXT]}
    mentions = {part: names.mentions(whole, engine_module.NAMES_AS_OF, drill) for part, whole in parts.items()}
    acting = count_actors(by_sentence(found, mentions))
    said: dict[int, Verdict] = {}
    for part, whole in parts.items():
        said |= gate.verdicts(whole, [s for s in found if s.part == part], acting)
    return said


def passes(gate: Gate, names: NameMatcher) -> tuple[float, float]:
    """Sentences of an article that pass, of the bench's: ordinary ones, and those of crises."""
    counts: dict[bool, list[int]] = {True: [], False: []}
    for kind, article in zip(kinds(), articles(), strict=True):
        said = verdicts(gate, names, article.title, article.text)
        counts[kind == "ordinary"].append(sum(verdict == "passed" for verdict in said.values()))
    return sum(counts[True]) / len(counts[True]), sum(counts[False]) / len(counts[False])


def measure() -> dict[str, Any]:
    """For each ground: signals that rules find without the gate, how many of them it loses, and what passes."""
    gate = Gate(load_lexicon(PACKAGED / "lexicon.yaml"))
    names = NameMatcher(load_gazetteer(PACKAGED / "gazetteer"))
    # Rules alone: what the model says of a sentence does not hang on the gate. The engine has no setting to open it.
    engine = engine_module.Engine.load(load_settings().model_copy(update={"sentence_model": "none"}))
    engine.gate = Open(load_lexicon(PACKAGED / "lexicon.yaml"))
    of_articles = {name: _measured(ground, engine, gate, names) for name, ground in _grounds().items()}
    return {**of_articles, "corpus": _of_corpus(gate, names), **_of_sentences(gate, names)}


def _measured(ground: Ground, engine: engine_module.Engine, gate: Gate, names: NameMatcher) -> dict[str, Any]:
    signals = lost = 0
    ordinary: list[int] = []
    for begin in range(0, len(ground.articles), BATCH):
        batch = ground.articles[begin : begin + BATCH]
        for place, (article, found) in enumerate(zip(batch, engine.extract(batch), strict=True), begin):
            said = verdicts(gate, names, article.title, article.text, article.drill)
            if place in ground.ordinary:
                ordinary.append(sum(verdict == "passed" for verdict in said.values()))
                continue
            index = {(s.part, s.start): s.index for s in sentences.split(article.title, article.text)}
            places = [index[s.evidence.part, s.evidence.sentence_span[0]] for s in found.signals]
            signals += len(places)
            lost += sum(said[place] != "passed" for place in places)
    figures: dict[str, Any] = {"articles": len(ground.articles), "signals_without_gate": signals, "lost": lost}
    if ordinary:
        figures["passed_per_ordinary_article"] = round(sum(ordinary) / len(ordinary), 2)
    return figures


def _of_corpus(gate: Gate, names: NameMatcher) -> dict[str, Any]:
    """What share of the corpus's sentences that hold an event passes: all, those that name an actor, by type."""
    actors = cast(load_gazetteer(PACKAGED / "gazetteer"))
    seen: Counter[str] = Counter()
    through: Counter[str] = Counter()
    for template in load_corpus():
        if not template.events:
            continue
        text = fill(template, actors, seed=3)
        named = any(name.code for name in names.mentions(text, engine_module.NAMES_AS_OF))
        passed = "passed" in verdicts(gate, names, "", text).values()
        for kind in {"all", *(["naming an actor"] if named else []), *(str(event[0]) for event in template.events)}:
            seen[kind] += 1
            through[kind] += passed
    return {kind: round(through[kind] / count, 3) for kind, count in sorted(seen.items())}


def _of_sentences(gate: Gate, names: NameMatcher) -> dict[str, Any]:
    """What share of the labelled sentences passes: with an event, and without; nothing where they are not present."""
    path = MEASURED / "eval/sentences.dev.jsonl"
    if not path.exists():
        return {}
    counts: dict[bool, list[bool]] = {True: [], False: []}
    for row in map(json.loads, path.open(encoding="utf-8")):
        counts[bool(row["events"])].append("passed" in verdicts(gate, names, "", row["text"]).values())
    shares = {key: round(sum(passed) / len(passed), 3) for key, passed in counts.items()}
    return {"labelled sentences": {"with_event": shares[True], "without": shares[False]}}


def _grounds() -> dict[str, Ground]:
    return {
        "bench": Ground(articles(), frozenset(i for i, kind in enumerate(kinds()) if kind == "ordinary")),
        "drill": Ground(drill_articles()),
        **_outside(),
    }


def _outside() -> dict[str, Ground]:
    """The seed and the labelled articles, where they are present."""
    found: dict[str, Ground] = {}
    for name, path in (("seed", "seed/article.jsonl"), ("labelled articles", "eval/articles.dev.jsonl")):
        if (MEASURED / path).exists():
            rows = [json.loads(line) for line in (MEASURED / path).open(encoding="utf-8")]
            ordinary = frozenset(i for i, row in enumerate(rows) if row.get("story_class") == "ordinary")
            found[name] = Ground([_article(row) for row in rows], ordinary)
    return found


def _article(row: dict[str, Any]) -> Article:
    return as_article(
        Line(id=row["id"], title=row.get("title") or "", text=row["text"], published=row.get("published"))
    )
