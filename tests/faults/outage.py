"""``make outages``: what the line stands on is taken away under load and comes back; the outcome is compared.

gone      the broker is killed, and not started again before its time has come
hanging   the broker is stopped (SIGSTOP): it takes connections and does not answer
disk      the broker's disk is full, so that the broker ends and can't start, until there is room again
forward   the clock of every process is stepped an hour forward
back      and an hour back, from the machine's time
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.alerts import load_alerts
from config.settings import load_settings
from deploy.local.process import Port
from pipeline.extraction.engine import Engine
from tests.faults import seen
from tests.faults.clock import CantStepError, SteppedClock
from tests.faults.disk import CantMountError, SmallDisk
from tests.faults.feeds import Feeds
from tests.faults.line import RULES, Line, written
from tests.faults.oracle import Verdict, judge
from tests.faults.plan import Kill
from tests.faults.watch import Killed, Sample, recovery

KINDS = ("gone", "hanging", "disk", "forward", "back")
STEPS = {"forward": 3600, "back": -3600}
BROKER = Kill("broker", "", 0.0, early=False)
START_S = 240.0
LOAD_S = 5.0
"""Under load before the first outage, and between two."""
BACK_S = 180.0
FULL_S = 120.0
DISK_MB = 192
LEFT_BYTES = 300_000
SETTLE_S = 180.0
SHOWN_FAULTS = 40


@dataclass(frozen=True, slots=True)
class Trial:
    """What a run is to do.

    Attributes:
        kinds: The outages, one after the other on one line; each of ``KINDS``.
        seconds: How long each lasts.
        clock: Of the line: ``records`` or ``wall``.
        seed: Of the news.
        slow: Whether slow feeds are polled, too.
    """

    kinds: tuple[str, ...]
    seconds: float
    clock: str = "records"
    seed: int = 1
    slow: bool = True


@dataclass(frozen=True, slots=True)
class Outage:
    """What was seen of one.

    Attributes:
        kind: Of ``KINDS``.
        seconds: How long it lasted.
        back_s: Seconds from its end (a step's: from the step) until every stage had gone on; None if one never did.
        caught_up_s: And until all was worked off for the first time.
        ends: Processes that ended meanwhile, or before all had gone on.
        metrics: As they were at its end.
        words: Warnings and errors, counted.
        log_bytes: How much each process said.
        stepped: The processes whose clock was stepped.
    """

    kind: str
    seconds: float
    back_s: float | None
    caught_up_s: float | None
    ends: tuple[seen.End, ...]
    metrics: tuple[str, ...]
    words: Counter[str]
    log_bytes: Mapping[str, int]
    stepped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run: what was found on the topics, each outage, and whether all was worked off in time."""

    verdict: Verdict
    outages: tuple[Outage, ...]
    settled: bool


class Outages:
    """Takes away what a line stands on, and gives it back."""

    def __init__(
        self, line: Line, disk: SmallDisk | None, clock: SteppedClock | None, ports: Mapping[str, int]
    ) -> None:
        self._line, self._disk, self._clock, self._ports = line, disk, clock, ports

    def suffer(self, kind: str, seconds: float, ends: list[seen.End], say: Callable[[str], None]) -> Outage:
        """One outage, from its begin until every stage has gone on.

        Args:
            kind: Of ``KINDS``.
            seconds: How long it lasts.
            ends: Where the supervisor's words go.
            say: Told what happens.
        """
        logs, first = seen.Logs(self._line.settings.data_dir / "logs"), len(ends)
        say(f"{kind}: begins")
        begun = time.monotonic()
        self._begin(kind, ends, say)
        self._line.wait(lambda: False, seconds)
        metrics = seen.metrics(self._ports)
        self._end(kind)
        ended = time.monotonic()
        since = Killed(BROKER, begun if kind in STEPS else ended)
        say(f"{kind}: over after {ended - begun:.0f} s")
        self._line.wait(
            lambda: self._line.watch.went_on(since) and caught_up(since.at, self._samples) is not None, BACK_S
        )
        stepped = tuple(sorted(self._clock.names)) if self._clock and kind in STEPS else ()
        return Outage(
            kind, ended - begun, recovery(since, self._samples), caught_up(since.at, self._samples),
            tuple(ends[first:]), tuple(metrics), logs.words(), logs.sizes, stepped,
        )  # fmt: skip

    @property
    def _samples(self) -> list[Sample]:
        return list(self._line.watch.samples)

    def _begin(self, kind: str, ends: list[seen.End], say: Callable[[str], None]) -> None:
        if kind == "gone":
            self._line.broker.leave()
        elif kind == "hanging":
            self._line.broker.hang()
        elif kind in STEPS and self._clock:
            self._clock.step(STEPS[kind])
        elif self._disk:
            before = len(ends)
            self._disk.fill(LEFT_BYTES)
            self._line.wait(lambda: any(end.child == "kafka" for end in ends[before:]), FULL_S)
            state = "runs" if len(ends) == before else "ended"
            say(f"the disk has {self._disk.free} bytes left, and the broker {state}")

    def _end(self, kind: str) -> None:
        if kind in ("gone", "hanging"):
            self._line.broker.come_back()
        elif kind == "disk" and self._disk:
            self._disk.clear()


def caught_up(at: float, samples: Sequence[Sample]) -> float | None:
    """Seconds from a monotonic time until both jobs were seen to have worked off all that there was; None if never.

    Only what was asked once a broker had taken more than it had then says so: of one that is away, or that takes
    nothing yet, nothing is known.
    """
    after = [each for each in samples if each.asked > at]
    done = next((each for each in after if each.connect > after[0].connect and each.idle), None)
    return done.answered - at if done else None


def run(trial: Trial, folder: Path, say: Callable[[str], None]) -> Result:
    """Do it. From the main thread.

    Raises:
        CantMountError: A full disk was asked for, and can't be had here.
        CantStepError: Steps of the clock were, and the same.
    """
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(SmallDisk(folder / "data" / "kafka", DISK_MB)) if "disk" in trial.kinds else None
        clock = stack.enter_context(SteppedClock()) if STEPS.keys() & set(trial.kinds) else None
        ends, ports = stack.enter_context(seen.Ends()), _ports()
        begin = datetime.now(UTC)
        settings = {f"{name}_metrics_port": port for name, port in ports.items()}
        feeds = Feeds(trial.seed, slow=trial.slow, dated=trial.clock == "records")
        line = stack.enter_context(Line(folder, feeds, say, clock=trial.clock, **settings))
        if not line.works(START_S):
            raise RuntimeError(f"the line does not work: {folder}: within {START_S:g} s")
        outages = Outages(line, disk, clock, ports)
        suffered = []
        for kind in trial.kinds:
            line.wait(lambda: False, LOAD_S)
            suffered.append(outages.suffer(kind, trial.seconds, ends.found, say))
        settled = line.settle(SETTLE_S)
        line.end_jobs()
        found, published = written(line.settings), line.feeds.published
    say("comparing")
    span = (begin, datetime.now(UTC)) if trial.clock == "wall" else None
    verdict = judge(found, published, Engine.load(load_settings()), load_alerts(RULES), span)
    return Result(verdict, tuple(suffered), settled)


def table(result: Result) -> Iterator[str]:
    """What was seen, for a person."""
    for outage in result.outages:
        yield from _told(outage)
    found = result.verdict
    copies = ", ".join(f"{count} {name}" for name, count in sorted(found.copies.items()))
    yield (
        f"{found.articles} articles, {found.signals} signals, {found.transitions} transitions, "
        f"{found.letters} dead letters; copies of equal id: {copies}"
    )
    yield f"lost {len(found.lost)}, repeated {len(found.repeated)}, wrong {len(found.wrong)}"


def _told(outage: Outage) -> Iterator[str]:
    yield (
        f"{outage.kind}: {outage.seconds:.0f} s; every stage went on after {_seconds(outage.back_s)}, "
        f"all was worked off after {_seconds(outage.caught_up_s)}"
    )
    if outage.stepped:
        yield f"  stepped: {', '.join(outage.stepped)}"
    ends = Counter(end.child for end in outage.ends)
    yield f"  ended: {', '.join(f'{name} {count} times' for name, count in ends.items()) or 'nothing'}"
    for end in {end.child: end for end in outage.ends}.values():
        yield f"    {end.child}: …{' '.join(end.reason.split())[-300:]}"
    yield f"  bytes of logs: {', '.join(f'{name} {size}' for name, size in outage.log_bytes.items())}"
    yield from (f"    {count} x {words}" for words, count in outage.words.most_common(12))
    yield from (f"  {line}" for line in outage.metrics)


def _seconds(time_s: float | None) -> str:
    return "never" if time_s is None else f"{time_s:.1f} s"


def _ports() -> dict[str, int]:
    """A free port for the metrics of each process."""
    with contextlib.ExitStack() as stack:
        return {name: stack.enter_context(Port()).number for name in seen.NAMES}


def main() -> int:
    """The command; 0 if the guarantee was kept, 2 if an outage can't be made here."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="make outages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="+", choices=KINDS, help="one after the other, on one line")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long each lasts (default: 120)")
    parser.add_argument("--clock", choices=("records", "wall"), default="records", help="of the line")
    parser.add_argument("--seed", type=int, default=1, help="of the news")
    parser.add_argument("--no-slow", action="store_true", help="without the feeds that are polled once a minute")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep everything there: an empty folder")
    options = parser.parse_args()
    trial = Trial(tuple(options.kinds), options.seconds, options.clock, options.seed, slow=not options.no_slow)
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="brinkwatch-outage-", ignore_cleanup_errors=True) as folder:
        try:
            result = run(trial, options.keep or Path(folder), say)
        except (CantMountError, CantStepError) as error:
            print(f"this outage can't be made here: {error}")
            return 2
    for fault in result.verdict.faults[:SHOWN_FAULTS]:
        print(fault)
    if not result.settled:
        print("not everything was worked off in time")
    print(*table(result), sep="\n")
    return 0 if result.settled and result.verdict.kept else 1


if __name__ == "__main__":
    sys.exit(main())
