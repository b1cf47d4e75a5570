"""What the topics hold, held against pure functions: see docs/guarantee.md for what is compared, and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from config.alerts import AlertRules
from pipeline.extraction.engine import Engine
from pipeline.kafka.message import Message
from pipeline.records import Alert, Article, DecodeError, Dyad, Signal, Transition, decode, encode
from pipeline.records.dyad import NOBODY
from pipeline.records.headers import ERRORS
from pipeline.scoring.book import Book
from pipeline.scoring.explain import moment
from tests.faults import news

BATCH = 100
SAME = ("url", "title", "text", "source", "feed", "content_hash", "drill")
Span = tuple[datetime, datetime]
"""True times between which a run on the clock of the wall took place."""


@dataclass(frozen=True, slots=True)
class Written:
    """Every committed message of every topic, each in order of partition and offset."""

    articles: tuple[Message, ...]
    signals: tuple[Message, ...]
    alerts: tuple[Message, ...]
    current: tuple[Message, ...]
    dyads: tuple[Message, ...]
    letters: tuple[Message, ...]


@dataclass(slots=True)
class Verdict:
    """What was found; each fault is a line that names what and where.

    Attributes:
        lost: What should be there and is not.
        repeated: What counted, or was told, twice.
        wrong: What differs, or should not be there.
        articles, signals, transitions, letters: How many different ones there are.
        copies: How many more messages of an equal id are on a topic that allows them.
    """

    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    articles: int = 0
    signals: int = 0
    transitions: int = 0
    letters: int = 0
    copies: Counter[str] = field(default_factory=Counter)

    @property
    def kept(self) -> bool:
        """Whether the guarantee was kept."""
        return not (self.lost or self.repeated or self.wrong)

    @property
    def faults(self) -> list[str]:
        """Every fault, told with its kind."""
        kinds = {"lost": self.lost, "repeated": self.repeated, "wrong": self.wrong}
        return [f"{kind}: {fault}" for kind, faults in kinds.items() for fault in faults]


Key = tuple[str, str]
"""A dyad and a signal id."""


def judge(
    written: Written, published: Sequence[news.Item], engine: Engine, rules: AlertRules, span: Span | None = None
) -> Verdict:
    """Hold everything against what the pure functions make of the published news and of the topic before.

    Args:
        written: What is on the topics.
        published: By the feeds.
        engine: Gives an article's signals.
        rules: The alert rules.
        span: Where time was that of the wall, and entries had no dates: no time of any record may lie outside of it.
            What the lanes' end is depends on when each entry was read there, so it is not known before.
    """
    verdict = Verdict()
    articles = _articles(written.articles, published, verdict, span)
    _letters(written, verdict)
    expected = _expected(engine, articles)
    by_dyad = _signals(written.signals, expected, verdict)
    judge_scoring(written, by_dyad, rules, verdict, span)
    if span is None:
        _lanes(written, published, engine, rules, verdict)
    return verdict


def judge_scoring(
    written: Written,
    by_dyad: dict[str, list[Signal]],
    rules: AlertRules,
    verdict: Verdict | None = None,
    span: Span | None = None,
) -> Verdict:
    """Hold alerts and dyads against the signals, the first copy of each, in their topic's order."""
    verdict = verdict or Verdict()
    told = _alerts(written.alerts, verdict)
    states = _by_key(written.dyads)
    latest = max((signal.observed_at for signals in by_dyad.values() for signal in signals), default=None)
    latest = span[1] if span else latest
    for dyad in sorted({*by_dyad, *states, *told}):
        due = Chain(rules, dyad, verdict, latest).follow(by_dyad.get(dyad, []), states.get(dyad, []))
        _hold(f"transitions of {dyad}", due, told.get(dyad, []), verdict)
    _current(written, [alert for each in told.values() for alert in each], verdict)
    return verdict


def first_copies(messages: Iterable[Message]) -> tuple[dict[str, list[Signal]], Counter[Key]]:
    """The signals of each dyad in order, each once; and how often each stands on the topic."""
    found: dict[str, list[Signal]] = defaultdict(list)
    counts: Counter[Key] = Counter()
    for message in messages:
        try:
            signal = decode(message.value, Signal)
        except DecodeError:
            continue  # a dead letter of score
        dyad = (message.key or b"").decode()
        counts[dyad, signal.signal_id] += 1
        if counts[dyad, signal.signal_id] == 1:
            found[dyad].append(signal)
    return found, counts


class Chain:
    """One dyad, followed from one committed record to the next.

    A record says how many signals it has counted and up to which time it was looked at: after an advance that is the
    least of its tracks' times, and advancing to it changes nothing where there was none. Everything else in it, and
    every transition on the way, must be what the pure book makes of the record before, the signals that follow, and
    that time.
    """

    def __init__(self, rules: AlertRules, dyad: str, verdict: Verdict, latest: datetime | None) -> None:
        """Nothing is followed yet.

        Args:
            rules: The alert rules.
            dyad: Its key.
            verdict: Takes the faults.
            latest: Nothing can be later: the latest time of any signal on the clock of records, else the run's end.
        """
        self._rules, self._dyad, self._verdict, self._latest = rules, dyad, verdict, latest
        self._book = Book(rules)
        self._taken = 0

    def follow(self, signals: Sequence[Signal], records: Sequence[bytes | None]) -> list[Alert]:
        """The transitions that are due along the records; faults go to the verdict."""
        due: list[Alert] = []
        for raw in records:
            if raw is None:
                self._verdict.wrong.append(f"{self._dyad}: forgotten while it was in the news")
                continue
            due += self._step(signals, decode(raw, Dyad), raw)
        if self._dyad != NOBODY and self._taken < len(signals):
            self._verdict.lost += [
                f"{self._dyad}: signal {s.signal_id} was never scored" for s in signals[self._taken :]
            ]
        return due

    def _step(self, signals: Sequence[Signal], record: Dyad, raw: bytes) -> list[Alert]:
        counted = _tracks(record)[0][1]
        if self._latest is None or record.at > self._latest:
            self._verdict.wrong.append(f"{self._dyad}: its time is {record.at}, which is later than {self._latest}")
        if counted > len(signals):
            self._verdict.repeated.append(f"{self._dyad}: {counted} signals counted of {len(signals)} different ones")
        if counted < self._taken:
            self._verdict.lost.append(f"{self._dyad}: {self._taken} signals counted, then only {counted}")
        for signal in signals[self._taken : counted]:
            self._book.apply(self._dyad, signal)
        self._taken = max(self._taken, min(counted, len(signals)))
        self._book.advance(moment(min(at for at, _ in _tracks(record))))
        alerts, _, _ = self._book.drain()
        now = [encode(each) for each in self._book.dyads()]
        if now != [raw]:
            self._verdict.wrong.append(f"{self._dyad} at {record.at}, after {counted} signals: {_difference(now, raw)}")
            self._book = Book(self._rules)  # go on from what is there, so that one fault is told once
            self._book.restore([record])
        return alerts


def _articles(
    messages: Iterable[Message], published: Sequence[news.Item], verdict: Verdict, span: Span | None
) -> list[Article]:
    """Every published entry is there with its content and at its time, nothing else is; each article once."""
    due = {(each := news.article(item, datetime.now(UTC))).article_id: each for item in published}
    found: dict[str, Article] = {}
    for message in messages:
        try:
            article = decode(message.value, Article)
        except DecodeError:
            continue  # a dead letter of extract
        verdict.copies["articles"] += article.article_id in found
        found.setdefault(article.article_id, article)
        expected = due.get(article.article_id)
        if expected is None:
            verdict.wrong.append(f"article {article.article_id}: nobody published it")
        elif any(getattr(article, name) != getattr(expected, name) for name in SAME):
            verdict.wrong.append(f"article {article.article_id}: it is not what was published")
        else:
            times = (article.published_at, article.observed_at)
            begin, end = span or (expected.observed_at, expected.observed_at)
            if not all(begin <= time <= end for time in times):
                verdict.wrong.append(
                    f"article {article.article_id}: published at {times[0]}, observed at {times[1]}: "
                    f"not from {begin} to {end}"
                )
    verdict.lost += [f"article {each} was published, and is not there" for each in due if each not in found]
    verdict.articles = len(found)
    return list(found.values())


def _letters(written: Written, verdict: Verdict) -> None:
    """Whatever can't be decoded has its letter: at least one of extract, exactly one of score."""
    found: Counter[str] = Counter()
    for letter in written.letters:
        headers = dict(letter.headers)
        place = [headers[ERRORS + name].decode() for name in ("stage", "partition", "offset")]
        found[" ".join(place)] += 1
    due: set[str] = set()
    for stage, kind, messages in (("extract", Article, written.articles), ("score", Signal, written.signals)):
        for message in messages:
            try:
                decode(message.value, kind)
            except DecodeError:
                due.add(f"{stage}.decode {message.partition} {message.offset}")
    verdict.lost += [f"dead letter of {each}" for each in sorted(due - found.keys())]
    verdict.wrong += [f"dead letter of {each}, which is good" for each in sorted(found.keys() - due)]
    for place, count in found.items():
        if count > 1 and place.startswith("score"):
            verdict.repeated.append(f"dead letter of {place}: {count} times")
        elif count > 1:
            verdict.copies["dead letters"] += count - 1
    verdict.letters = len(found)


def _expected(engine: Engine, articles: Sequence[Article]) -> dict[Key, Signal]:
    """Every signal that the articles must give, by dyad and id."""
    expected: dict[Key, Signal] = {}
    for signal in _extracted(engine, articles):
        for dyad in signal.dyads or (NOBODY,):
            expected[dyad, signal.signal_id] = signal
    return expected


def _extracted(engine: Engine, articles: Sequence[Article]) -> Iterator[Signal]:
    for start in range(0, len(articles), BATCH):
        for extraction in engine.extract(articles[start : start + BATCH]):
            yield from extraction.signals


def _signals(messages: Iterable[Message], expected: dict[Key, Signal], verdict: Verdict) -> dict[str, list[Signal]]:
    """Every signal that is due is there as it must be, nothing else is; the first copies, by dyad."""
    by_dyad, counts = first_copies(messages)
    for dyad, signals in by_dyad.items():
        for signal in signals:
            due = expected.get((dyad, signal.signal_id))
            # An article that was sent again may tell of another flow of news.
            if due is None or encode(msgspec.structs.replace(signal, flow=due.flow)) != encode(due):
                verdict.wrong.append(f"{dyad}: signal {signal.signal_id} is not what its article gives")
    missing = expected.keys() - counts.keys()
    verdict.lost += [f"{dyad}: signal {signal_id} is not there" for dyad, signal_id in sorted(missing)]
    verdict.copies["signals"] += counts.total() - len(counts)
    verdict.signals = len(counts)
    return by_dyad


def _alerts(messages: Iterable[Message], verdict: Verdict) -> dict[str, list[Alert]]:
    """The transitions by dyad; in each alert's sequence there is no gap and no repeat."""
    told: dict[str, list[Alert]] = defaultdict(list)
    last: dict[str, int] = {}
    for message in messages:
        alert = decode(message.value, Alert)
        before = last.get(alert.alert_id, 0)
        if alert.sequence <= before:
            verdict.repeated.append(f"alert {alert.alert_id}: {alert.sequence} was told after {before}")
        elif alert.sequence > before + 1:
            verdict.lost.append(f"alert {alert.alert_id}: {alert.sequence} was told after {before}")
        last[alert.alert_id] = alert.sequence
        told[alert.dyad].append(alert)
        verdict.transitions += 1
    return told


def _current(written: Written, told: Sequence[Alert], verdict: Verdict) -> None:
    """The open alerts' topic and the dyads' end agree with the last transitions."""
    last = {alert.alert_id: alert for alert in told}
    found = {(message.key or b"").decode(): message.value for message in written.current}
    for alert_id, alert in last.items():
        due = None if alert.transition is Transition.RESOLVED else encode(alert)
        if found.get(alert_id, b"") != due:
            verdict.wrong.append(f"alerts.current: {alert_id} is not its last transition, {alert.transition}")
    verdict.wrong += [f"alerts.current: {each} was never told" for each in sorted(found.keys() - last.keys())]
    ends = {dyad: decode(raws[-1], Dyad) for dyad, raws in _by_key(written.dyads).items() if raws[-1] is not None}
    for dyad, end in ends.items():
        due_open = {a.alert_id for a in last.values() if a.dyad == dyad and a.transition is not Transition.RESOLVED}
        if set(end.open_alerts) != due_open:
            verdict.wrong.append(f"{dyad}: it says that {sorted(end.open_alerts)} are open, not {sorted(due_open)}")


def _lanes(
    written: Written, published: Sequence[news.Item], engine: Engine, rules: AlertRules, verdict: Verdict
) -> None:
    """The lanes' end and all their transitions are those of a run that nobody disturbed, known before the run."""
    articles = [news.article(item, datetime.now(UTC)) for item in published if item.feed < news.LANES]
    if not articles:
        return
    book = Book(rules)
    for signal in _extracted(engine, articles):
        for dyad in signal.dyads:
            book.apply(dyad, signal)
    book.advance(max(article.observed_at for article in articles))
    alerts, dyads, _ = book.drain()
    told = _by_dyad(decode(message.value, Alert) for message in written.alerts)
    due = _by_dyad(alerts)
    states = _by_key(written.dyads)
    for dyad in dyads:
        _hold(f"lane {dyad}: transitions", due.get(dyad.dyad, []), told.get(dyad.dyad, []), verdict)
        raws = states.get(dyad.dyad, [None])
        if raws[-1] != encode(dyad):
            verdict.wrong.append(
                f"lane {dyad.dyad}: its end is not the undisturbed one: {_difference([encode(dyad)], raws[-1])}"
            )


def _hold(what: str, due: Sequence[Alert], told: Sequence[Alert], verdict: Verdict) -> None:
    """Two sequences of transitions, which must be equal to the byte."""
    if [encode(each) for each in due] == [encode(each) for each in told]:
        return
    names = Counter((a.alert_id, a.sequence) for a in due)
    others = Counter((a.alert_id, a.sequence) for a in told)
    verdict.lost += [f"{what}: {alert} {number} was not told" for alert, number in (names - others)]
    for alert, number in others - names:
        kind = verdict.repeated if names[alert, number] else verdict.wrong
        kind.append(f"{what}: {alert} {number} was told, and is not due")
    if names == others:
        verdict.wrong.append(f"{what}: they differ in content or order")


def _by_dyad(alerts: Iterable[Alert]) -> dict[str, list[Alert]]:
    found: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        found[alert.dyad].append(alert)
    return found


def _by_key(messages: Iterable[Message]) -> dict[str, list[bytes | None]]:
    found: dict[str, list[bytes | None]] = defaultdict(list)
    for message in messages:
        found[(message.key or b"").decode()].append(message.value)
    return found


def _tracks(record: Dyad) -> list[tuple[float, int]]:
    """Of each track the time up to which it was decided, and how many signals it has taken in; that of all first."""
    stored = msgspec.json.decode(record.state)
    first = stored["tracks"].pop(stored["first"])
    return [(track["at"], track["applied"] + track["inactive"]) for track in (first, *stored["tracks"].values())]


def _difference(due: Sequence[bytes], raw: bytes | None) -> str:
    """The fields that differ, for people."""
    if not due or raw is None:
        return "there is none"
    one, other = msgspec.json.decode(due[0]), msgspec.json.decode(raw)
    return ", ".join(
        f"{name} is {str(other.get(name))[:80]}, not {str(one.get(name))[:80]}"
        for name in {**one, **other}
        if one.get(name) != other.get(name)
    )
