"""``make faults``: kill everything again and again under load, let it settle, and hold the outcome to the guarantee."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from config.alerts import load_alerts
from config.settings import load_settings
from pipeline.extraction.engine import Engine
from tests.faults.feeds import Feeds
from tests.faults.line import RULES, Line, written
from tests.faults.oracle import Verdict, judge
from tests.faults.plan import EARLY_SHARE, VICTIMS, kills
from tests.faults.watch import Killed, Sample, recovery

SETTLE_S = 150.0
SHOWN_FAULTS = 40


@dataclass(frozen=True, slots=True)
class Trial:
    """What a run is to do.

    Attributes:
        seed: Of kills and news.
        rounds: How often each victim is killed.
        minutes: How long kills may go on, at most.
        early_share: How many of the kills do not wait until their victim has worked.
        slow: Whether slow feeds are polled, too.
    """

    seed: int
    rounds: int
    minutes: float
    early_share: float = EARLY_SHARE
    slow: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it.

    Attributes:
        verdict: What was found on the topics.
        killed: The kills that were done.
        samples: What was seen of the progress.
        settled: Whether everything was worked off in time.
        seconds: How long it was killed for.
    """

    verdict: Verdict
    killed: tuple[Killed, ...]
    samples: tuple[Sample, ...]
    settled: bool
    seconds: float


def run(trial: Trial, folder: Path, say: Callable[[str], None]) -> Result:
    """Do it. From the main thread."""
    begun = time.monotonic()
    with Line(folder, Feeds(trial.seed, slow=trial.slow), say) as line:
        line.do(kills(trial.seed, trial.rounds, trial.early_share), begun + 60 * trial.minutes)
        seconds = time.monotonic() - begun
        settled = line.settle(SETTLE_S)
        found, published, samples = written(line.settings), line.feeds.published, tuple(line.watch.samples)
        killed = tuple(line.killed)
    say("comparing")
    verdict = judge(found, published, Engine.load(load_settings()), load_alerts(RULES))
    return Result(verdict, killed, samples, settled, seconds)


def table(result: Result) -> list[str]:
    """The kills and recoveries for a person."""
    lines = [f"{'victim':<10}{'kills':>6}{'early':>7}{'recovery p50':>15}{'p99':>8}{'never':>7}"]
    for victim in VICTIMS:
        hits = [each for each in result.killed if each.kill.victim == victim]
        times = [recovery(each, result.samples) for each in hits]
        known = sorted(each for each in times if each is not None)
        cuts = quantiles(known, n=100, method="inclusive") if len(known) > 1 else known * 99
        figures = f"{cuts[49]:>13.1f} s{cuts[98]:>6.1f} s" if cuts else f"{'-':>15}{'-':>8}"
        early = sum(each.kill.early for each in hits)
        lines.append(f"{victim:<10}{len(hits):>6}{early:>7}{figures}{len(times) - len(known):>7}")
    found = result.verdict
    copies = ", ".join(f"{count} {name}" for name, count in sorted(found.copies.items()))
    counts = (
        f"{found.articles} articles, {found.signals} signals, {found.transitions} transitions, "
        f"{found.letters} dead letters in {result.seconds:.0f} s of kills; copies of equal id: {copies}"
    )
    return [*lines, counts, f"lost {len(found.lost)}, repeated {len(found.repeated)}, wrong {len(found.wrong)}"]


def main() -> int:
    """The command; 0 if the guarantee was kept."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how often each victim is killed")
    parser.add_argument("--seed", type=int, default=1, help="of the kills and the news")
    parser.add_argument("--minutes", type=float, default=12.0, help="how long kills may go on, at most")
    parser.add_argument("--no-slow", action="store_true", help="without the feeds that are polled once a minute")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep everything there: an empty folder")
    options = parser.parse_args()
    trial = Trial(options.seed, options.rounds, options.minutes, slow=not options.no_slow)
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="brinkwatch-faults-") as folder:
        result = run(trial, options.keep or Path(folder), say)
    for fault in result.verdict.faults[:SHOWN_FAULTS]:
        print(fault)
    if not result.settled:
        print("not everything was worked off in time")
    print(*table(result), sep="\n")
    return 0 if result.settled and result.verdict.kept else 1


if __name__ == "__main__":
    sys.exit(main())
