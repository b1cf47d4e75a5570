"""Tests of alert rules: a file says what is told and when, and which transitions must come of it.

    tests:
      - name: a build-up that two outlets report is a watch
        signals:
          - {at: 0h, dyad: XAA-XBB, type: deployment, source: one.example, amounts: {troops: 40000}}
          - {at: 2h, dyad: XAA-XBB, type: force, modality: threatened, source: two.example}
        until: 30d
        expect:
          - {after: 2h, before: 3h, transition: raised, level: watch, dyad: XAA-XBB}

Times count from the test's start. A rule file and a timeline are all it takes: no broker, no article, no clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from config.alerts import AlertRules
from config.document import Document, Strict, load
from config.lexicon import EventName
from config.rule import INACTIVE, Duration, LevelName, ModalityName, some
from config.silences import Moment
from pipeline.extraction.severity import PLOVER, polarity, severity
from pipeline.records import Alert, EventType, Evidence, Magnitude, Modality, Signal
from pipeline.records.flow import SOURCES_H, Flow
from pipeline.records.minhash import signature
from pipeline.records.signal import Extractor
from pipeline.scoring.book import Book

MAX_SIGNALS = 100_000
START = datetime(2020, 1, 1, tzinfo=UTC)
TransitionName = Literal["raised", "updated", "resolved"]
Dyad = Annotated[str, pydantic.Field(pattern=r"^(\*|[A-Z0-9_]{2,20})-[A-Z0-9_]{2,20}$")]


class Told(Strict):
    """One signal, or several of the kind.

    Attributes:
        at: When it is observed, after the test's start.
        dyad, type, modality, source: As on the topic; the dyad's sides in alphabetical order.
        active: Whether it counts today; the modality's usual, unless said.
        story: A name; signals of one name tell one story, those without tell one each.
        amounts: How many of what.
        severity: In place of what type, modality and amounts come to.
        confidence: 0 to 1.
        published: How long before ``at`` it was published.
        articles, outlets: How much news flows with it, a day, and of how many outlets; not known unless said.
        times, every: So many of them, so far apart, each by an outlet of its own.
        drill: Whether it is of the drill.
    """

    at: Duration = pydantic.Field(default="0s")  # type: ignore[assignment]  # as in the file: validate_default parses it
    dyad: Dyad
    type: EventName
    modality: ModalityName = "asserted"
    source: str = pydantic.Field(default="one.example", min_length=1, max_length=200)
    active: bool | None = None
    story: str | None = pydantic.Field(default=None, max_length=200)
    amounts: dict[str, float] = pydantic.Field(default={}, max_length=10)
    severity: float | None = pydantic.Field(default=None, ge=-100, le=100)
    confidence: float = pydantic.Field(default=1.0, ge=0, le=1)
    published: Duration = pydantic.Field(default="0s")  # type: ignore[assignment]  # as above
    articles: float | None = pydantic.Field(default=None, gt=0, le=1e9)
    outlets: int = pydantic.Field(default=1000, ge=1, le=10**9)
    times: int = pydantic.Field(default=1, ge=1, le=10_000)
    every: Duration = pydantic.Field(default="0s")  # type: ignore[assignment]  # as above
    drill: bool = False


class Expected(Strict):
    """One transition that must come: what is given must fit.

    Attributes:
        after, before: Not before the first and not after the second, after the test's start.
        transition, level, dyad, rule: As on the topic.
        muted: Whether it is muted.
    """

    after: Duration = pydantic.Field(default="0s")  # type: ignore[assignment]  # as above
    before: Duration | None = None
    transition: TransitionName
    level: LevelName | Literal["calm"] | None = None
    dyad: Dyad | None = None
    rule: str | None = None
    muted: bool | None = None

    def fits(self, alert: Alert, start: datetime) -> bool:
        """Whether ``alert`` is this one."""
        passed = (alert.at - start).total_seconds()
        return (
            alert.transition == self.transition
            and self.level in {None, alert.level.value}
            and self.dyad in {None, alert.dyad}
            and self.rule in {None, alert.rule}
            and self.muted in {None, alert.muted is not None}
            and self.after <= passed
            and (self.before is None or passed <= self.before)
        )


class Test(Strict):
    """One timeline.

    Attributes:
        name: For the report.
        start: When it starts: silences name dates.
        signals: What is told.
        until: How long time goes on.
        expect: Every transition that must come, in order of time; none, for silence.
    """

    name: str = pydantic.Field(min_length=1, max_length=200)
    start: Moment = START
    signals: tuple[Told, ...] = pydantic.Field(max_length=10_000)
    until: Duration
    expect: tuple[Expected, ...] = pydantic.Field(max_length=10_000)

    @pydantic.model_validator(mode="after")
    def _bounded(self) -> Test:
        if sum(told.times for told in self.signals) > MAX_SIGNALS:
            raise ValueError(f"at most {MAX_SIGNALS} signals")
        return self


class RuleTests(Strict):
    """A file of them."""

    tests: Annotated[tuple[Test, ...], pydantic.AfterValidator(some)] = pydantic.Field(max_length=1000)


@dataclass(frozen=True, slots=True)
class Result:
    """How one test went.

    Attributes:
        name: Its name.
        missing: Expectations that did not come, each with its line in the file.
        surplus: Transitions that nothing expects.
    """

    name: str
    missing: tuple[tuple[int | None, Expected], ...]
    surplus: tuple[Alert, ...]

    @property
    def passed(self) -> bool:
        """Whether just what is expected came."""
        return not self.missing and not self.surplus


def load_tests(path: Path) -> tuple[Document, RuleTests]:
    """The timelines of ``path``, and the document for its lines.

    Raises:
        ConfigError: With every fault and its line.
    """
    document = load(path)
    return document, document.check(RuleTests)


def signals(test: Test) -> list[tuple[str, Signal]]:
    """What is told, each under its dyad, in order of time."""
    found = [
        (told.dyad, _signal(told, test.start, number, copy))
        for number, told in enumerate(test.signals)
        for copy in range(told.times)
    ]
    return sorted(found, key=lambda each: (each[1].observed_at, each[1].signal_id))


def play(test: Test, rules: AlertRules) -> list[Alert]:
    """The transitions that come of it, in order of time."""
    book, alerts = Book(rules), []
    for dyad, signal in signals(test):
        book.advance(signal.observed_at)
        book.apply(dyad, signal)
        alerts += book.drain()[0]
    book.advance(test.start + timedelta(seconds=test.until))
    return [*alerts, *book.drain()[0]]


def judge(test: Test, alerts: list[Alert], line_of: Iterator[int | None]) -> Result:
    """Each expectation with a transition of its own; what is left over on either side is a failure."""
    left = list(alerts)
    missing = []
    for expected, line in zip(test.expect, line_of, strict=True):
        found = next((alert for alert in left if expected.fits(alert, test.start)), None)
        if found is None:
            missing.append((line, expected))
        else:
            left.remove(found)
    return Result(test.name, tuple(missing), tuple(left))


def run(path: Path, rules: AlertRules) -> list[Result]:
    """Every test of a file.

    Raises:
        ConfigError: The file is wrong: every fault and its line.
    """
    document, timelines = load_tests(path)
    results = []
    for number, test in enumerate(timelines.tests):
        places = range(len(test.expect))
        lines = (document.line_of(("tests", number, "expect", place)) for place in places)
        results.append(judge(test, play(test, rules), lines))
    return results


def _signal(told: Told, start: datetime, number: int, copy: int) -> Signal:
    at = start + timedelta(seconds=told.at + copy * told.every)
    kind, modality = EventType(told.type), Modality(told.modality)
    identity = hashlib.sha256(f"{start}{number}-{copy}".encode()).hexdigest()
    story = told.story or f"{number}-{copy}"
    magnitudes = tuple(
        Magnitude(value=value, comparator="exactly", unit=unit, text=f"{value:g} {unit}", span=(0, 1))
        for unit, value in told.amounts.items()
    )
    graded = severity(kind, modality, PLOVER[kind], frozenset(), magnitudes)
    score = told.severity if told.severity is not None else graded.score
    source = told.source if told.times == 1 else f"{copy}.{told.source}"
    return Signal(
        signal_id=identity[:32],
        article_id=identity[32:],
        url=f"https://{source}/{identity[:8]}",
        source=source,
        published_at=at - timedelta(seconds=told.published),
        observed_at=at,
        event_type=kind,
        modality=modality,
        active=modality not in INACTIVE if told.active is None else told.active,
        polarity=polarity(kind),
        actors=(),
        recipients=(),
        dyads=(told.dyad,),
        location=None,
        magnitudes=magnitudes,
        condition=None,
        attribution=None,
        reported_by=None,
        evidence=_evidence(told, story),
        confidence=told.confidence,
        severity=type(graded)(plover=graded.plover, base=graded.base, factors=graded.factors, score=score),
        extractor=Extractor(version="timeline", model="none"),
        story=signature(" ".join(f"{story}{word}" for word in range(20))),
        drill=told.drill,
        flow=None if told.articles is None else Flow(articles=told.articles, sources=told.outlets, hours=SOURCES_H),
    )


def _evidence(told: Told, story: str) -> Evidence:
    sentence = f"{told.type} {told.modality} ({story})"
    return Evidence(
        part="title",
        sentence=sentence,
        sentence_span=(0, len(sentence)),
        sentence_index=0,
        trigger=told.type,
        trigger_span=(0, len(told.type)),
    )
