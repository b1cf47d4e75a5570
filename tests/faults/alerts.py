"""``make alarms``: the whole service is broken in every way that an alert tells of, and each must fire, and end.

The service is the real one: ``brinkwatch up`` with feeds and receivers on loopback, under a real Prometheus and
Alertmanager with the shipped rules, whose times are divided so that minutes and hours pass in seconds.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import yaml
from prometheus import AlertingPrometheus, available

from deploy.local.monitoring import PROMETHEUS_FILE
from tests.faults.ailments import ROUNDS, Ailment, Case
from tests.faults.whole import Whole

PACE = 60.0
# Rules of hours, whose windows are as long as others' minutes then; and one that needs room for four starts.
PACES = {
    f"Brinkwatch{name}": pace
    for name, pace in {
        "NoArticles": 720.0, "FeedsFailing": 720.0, "FeedStopped": 360.0, "PublisherAsksToSlow": 360.0,
        "BrokerDiskFilling": 360.0, "RestartLoop": 20.0,
    }.items()
}  # fmt: skip
BOUND_S = 600.0
ENDING_S = 45.0
"""Kept of the bound to end everything."""
START_S = 180.0
CALM_S = 60.0
"""How long a round may wait until all work, and what it is to bring about does not fire any more."""
FIRE_S = 150.0
MEND_S = 60.0
LOOK_S = 0.5
AT_WORK = (
    'brinkwatch_connect_feeds{state="ok"} > 20 and on () brinkwatch_event_time_seconds{process="extract"} > 0'
    ' and on () brinkwatch_heartbeat_last_timestamp_seconds{stage="score"} > 0'
    ' and on () brinkwatch_ready{process="notify"} > 0 and on () brinkwatch_broker_log_dir_usable_bytes > 0'
    " and on () brinkwatch_score_active > 0"
)
Say = Callable[[str], None]


@dataclass
class Seen:
    """What was seen of a case; monotonic times in seconds, None before it happened."""

    ailment: Ailment
    case: Case
    begun: float | None = None
    fired: float | None = None
    mended: float | None = None
    ended: float | None = None
    fault: str = ""

    @property
    def kept(self) -> bool:
        """Whether it fired, and ended."""
        return self.fired is not None and self.ended is not None

    def note(self, now: float, *, fires: bool) -> None:
        """Note how it stands."""
        if fires and self.fired is None and self.begun is not None:
            self.fired = now
        if not fires and self.fired is not None and self.mended is not None and self.ended is None:
            self.ended = now


class Trial:
    """One ailment, suffered in a thread of its own from its begin until all of its alerts have fired."""

    def __init__(self, ailment: Ailment, whole: Whole) -> None:
        self._ailment, self._whole = ailment, whole
        self.rows = [Seen(ailment, case) for case in ailment.cases]
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._suffer, daemon=True)

    def begin(self) -> None:
        """Break it."""
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether all has fired, or it could not be broken."""
        return all(row.fired is not None or row.fault for row in self.rows)

    def mend(self) -> None:
        """Begin to mend it."""
        self._enough.set()

    def join(self, seconds: float) -> None:
        """Wait until it is mended."""
        self._thread.join(max(0.0, seconds))

    def _suffer(self) -> None:
        try:
            with self._ailment.breaks(self._whole):
                self._set("begun")
                self._enough.wait(BOUND_S)
        except Exception as error:  # noqa: BLE001  # it stands in the table, and the others go on
            for row in self.rows:
                row.fault = f"{type(error).__name__}: {error}"[:200]
        self._set("mended")

    def _set(self, name: str) -> None:
        for row in self.rows:
            setattr(row, name, time.monotonic())


class Alarms:
    """The run: round after round, with an eye on Prometheus all the while."""

    def __init__(self, whole: Whole, prometheus: AlertingPrometheus, until: float, say: Say) -> None:
        self._whole, self._prometheus, self._until, self._say = whole, prometheus, until, say
        self.trials: list[Trial] = []

    @property
    def rows(self) -> list[Seen]:
        """All that was seen."""
        return [row for trial in self.trials for row in trial.rows]

    @property
    def _at_work(self) -> bool:
        return bool(self._prometheus.query(AT_WORK))

    def run(self, rounds: Sequence[Sequence[Ailment]]) -> None:
        """All of them, as long as there is time."""
        if not self._wait(lambda: self._at_work, START_S):
            self._say("the service does not work")
        for number, ailments in enumerate(rounds, 1):
            cases = [case for ailment in ailments for case in ailment.cases]
            if not self._wait(lambda cases=cases: self._at_work and not self._firing(cases), CALM_S):
                self._say("not all work, or it fires already")
            self._suffer(number, [Trial(ailment, self._whole) for ailment in ailments])
        self._wait(lambda: all(row.ended is not None for row in self.rows if row.fired), BOUND_S)

    def _suffer(self, number: int, trials: list[Trial]) -> None:
        self._say(f"round {number}: {'; '.join(trial.rows[0].ailment.broken for trial in trials)}")
        self.trials += trials
        for trial in trials:
            trial.begin()
        self._wait(lambda: self._mend_those_that_are_over(trials), FIRE_S)
        for trial in trials:
            trial.mend()
        self._wait(lambda: all(row.mended is not None for trial in trials for row in trial.rows), MEND_S)

    def _mend_those_that_are_over(self, trials: list[Trial]) -> bool:
        for trial in trials:
            if trial.over:
                trial.mend()
        return all(trial.over for trial in trials)

    def _firing(self, cases: Sequence[Case]) -> list[Case]:
        firing = self._prometheus.alerts()
        return [case for case in cases if any(case.matches(labels) for labels in firing)]

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Look on until the condition holds; whether it did in time."""
        end = min(time.monotonic() + seconds, self._until)
        while time.monotonic() < end:
            try:
                self._look()
                if condition():
                    return True
            except (URLError, OSError) as error:
                self._say(f"Prometheus does not answer: {error}")
            time.sleep(LOOK_S)
        return False

    def _look(self) -> None:
        firing, now = self._prometheus.alerts(), time.monotonic()
        for row in self.rows:
            before = row.kept, row.fired
            row.note(now, fires=any(row.case.matches(labels) for labels in firing))
            if before != (row.kept, row.fired):
                self._say(f"{row.case.name} {'has ended' if row.kept else 'fires'}")


def shipped() -> set[str]:
    """The names of all alerts in the shipped rules."""
    files = (PROMETHEUS_FILE.parent / "rules").glob("*.yml")
    groups = [group for file in files for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


def table(rows: Sequence[Seen]) -> Iterator[str]:
    """What was seen, as a table in Markdown."""
    yield "| alert | what was broken | | pace | fired after | ended after |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        how = "stand-in" if row.ailment.stand_in else "real"
        pace = PACES.get(f"Brinkwatch{row.case.alert}", PACE)
        fired, ended = _seconds(row.begun, row.fired), _seconds(row.mended, row.ended)
        broken = f"{row.ailment.broken} ({row.fault})" if row.fault else row.ailment.broken
        yield f"| {row.case.name} | {broken} | {how} | {pace:g} | {fired} | {ended} |"


def _seconds(begin: float | None, end: float | None) -> str:
    return "never" if begin is None or end is None else f"{max(0.0, end - begin):.0f} s"


def run(folder: Path, rounds: Sequence[Sequence[Ailment]], say: Say) -> list[Seen]:
    """Do it. From the main thread; within ``BOUND_S``, beside what ending takes."""
    until = time.monotonic() + BOUND_S - ENDING_S
    with ExitStack() as stack:
        whole = stack.enter_context(Whole(folder))
        second = {"score": whole.second_score_port}
        prometheus = AlertingPrometheus(folder / "monitoring", whole.ports, PACE, PACES, second)
        alarms = Alarms(whole, stack.enter_context(prometheus), until, say)
        say("the service is up")
        try:
            alarms.run(rounds)
        finally:
            for trial in alarms.trials:
                trial.mend()
            for trial in alarms.trials:
                trial.join(min(20.0, until + 20.0 - time.monotonic()))
    return alarms.rows


def main() -> int:
    """The command; 0 if every alert fired and ended, 2 if there is no Prometheus here."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="make alarms", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    numbers = range(1, len(ROUNDS) + 1)
    parser.add_argument("rounds", nargs="*", type=int, help=f"only these, of {len(ROUNDS)} (default: all)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep everything there: an empty folder")
    options = parser.parse_args()
    if not available():
        print("Prometheus or Alertmanager is not on this machine")
        return 2
    # So that a run that is told to end ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {text}", flush=True)

    chosen = [ROUNDS[number - 1] for number in options.rounds or numbers]
    with tempfile.TemporaryDirectory(prefix="brinkwatch-alarms-", ignore_cleanup_errors=True) as folder:
        rows = run(options.keep or Path(folder), chosen, say)
    print(*table(rows), sep="\n")
    tried = {f"Brinkwatch{row.case.alert}" for row in rows if row.kept}
    print(f"{len(tried)} of {len(shipped())} alerts fired and ended")
    return 0 if rows and all(row.kept for row in rows) and (options.rounds or tried == shipped()) else 1


if __name__ == "__main__":
    sys.exit(main())
