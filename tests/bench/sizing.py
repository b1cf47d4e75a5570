"""A model of large volumes from measured costs: ``python -m tests.bench.sizing --articles-a-day 1000000``."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

DAY_S = 86_400
STEP_S = 60
GB = 1e9


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured; see docs/sizing.md for where each figure is from.

    Attributes:
        extract_per_core: Articles of 500 words a second that a core of extract reads.
        score_per_core: Signals a second that the one active score takes from a backlog.
        article_bytes, signal_bytes, dyad_bytes: Of a message, uncompressed; a dyad's is that of a busy one.
        signals_per_article: One article in ten of a crisis.
        article_days, signal_days: Retention of the topics.
    """

    extract_per_core: float = 40.0
    score_per_core: float = 4000.0
    article_bytes: float = 3960.0
    signal_bytes: float = 1850.0
    dyad_bytes: float = 30_000.0
    signals_per_article: float = 0.95
    article_days: int = 7
    signal_days: int = 90


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a volume asks for.

    Attributes:
        articles_a_second, peak: Mean over the day, and at its height.
        extract_cores: So that the day's backlog never grows older than was asked.
        longest_lag_s: How old it grows with these.
        score_share: Of the one core that score has, at the peak.
        broker_mb_a_second: Written at the peak, before replication.
        disk_gb: Articles and signals for their retention, before replication.
        core_hours_per_million: Extract and score, per million articles.
    """

    articles_a_second: float
    peak: float
    extract_cores: int
    longest_lag_s: float
    score_share: float
    broker_mb_a_second: float
    disk_gb: float
    core_hours_per_million: float


def arrivals(articles_a_day: float, peak: float) -> list[float]:
    """Articles of each minute of a day that swells to ``peak`` times its mean, and has ten minutes of twice that."""
    steps = DAY_S // STEP_S
    swing = peak - 1.0
    wave = [max(0.1, 1.0 + swing * math.sin(2 * math.pi * (step / steps - 0.25))) for step in range(steps)]
    burst = range(int(0.55 * steps), int(0.55 * steps) + 10)
    shaped = [2 * peak if step in burst else value for step, value in enumerate(wave)]
    scale = articles_a_day / sum(shaped)
    return [scale * value for value in shaped]


def longest_lag(coming: list[float], per_second: float) -> float:
    """Seconds that the oldest waiting article waits at most, where so many a second are worked off."""
    waiting, longest = 0.0, 0.0
    for articles in coming:
        waiting = max(0.0, waiting + articles - per_second * STEP_S)
        longest = max(longest, waiting / per_second)
    return longest


def sizes(articles_a_day: float, lag_s: float = 60.0, peak: float = 2.5, costs: Costs | None = None) -> Sizes:
    """The sizes for a volume, with at most ``lag_s`` of lag in extract."""
    costs = costs or Costs()
    coming = arrivals(articles_a_day, peak)
    cores = 1
    while longest_lag(coming, cores * costs.extract_per_core) > lag_s:
        cores += 1
    top = max(coming) / STEP_S
    signals = top * costs.signals_per_article
    per_million = 1e6 / costs.extract_per_core + 1e6 * costs.signals_per_article / costs.score_per_core
    kept = costs.article_days * costs.article_bytes
    kept += costs.signal_days * costs.signals_per_article * costs.signal_bytes
    return Sizes(
        articles_a_second=articles_a_day / DAY_S,
        peak=top,
        extract_cores=cores,
        longest_lag_s=longest_lag(coming, cores * costs.extract_per_core),
        score_share=signals / costs.score_per_core,
        broker_mb_a_second=(top * costs.article_bytes + signals * (costs.signal_bytes + costs.dyad_bytes)) / 1e6,
        disk_gb=articles_a_day * kept / GB,
        core_hours_per_million=per_million / 3600,
    )


def main() -> None:
    """Print the sizes of the volumes that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles-a-day", type=float, nargs="+", default=[20_000, 200_000, 1_000_000, 5_000_000])
    parser.add_argument("--lag", type=float, default=60.0, help="seconds that an article may wait for extract")
    options = parser.parse_args()
    for volume in options.articles_a_day:
        print(f"{volume:,.0f} articles a day: {sizes(volume, options.lag)}")


if __name__ == "__main__":
    main()
