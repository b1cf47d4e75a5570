"""What a replay is shown as besides its records: scores over time, verdicts on its alerts, reports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

import msgspec
import typer

from config.duration import seconds
from pipeline.cli.common import progress_bar
from pipeline.explain.files import whole, whole_bytes

if TYPE_CHECKING:
    from config.alerts import AlertRules
    from pipeline.evaluation.lead_time import Judged
    from pipeline.evaluation.truth import Event
    from pipeline.replay import Replayed
    from pipeline.timeline import Point

SHORTEST = timedelta(seconds=1)


def duration(text: str) -> timedelta:
    """The value of an option that is a duration.

    Raises:
        BadParameter: It is none, or shorter than a second.
    """
    try:
        length = timedelta(seconds=seconds(text))
    except ValueError as error:
        raise typer.BadParameter(f"{error} (found {text[:40]!r})") from None
    if length < SHORTEST:
        raise typer.BadParameter(f"a second or longer (found {text[:40]!r})")
    return length


@dataclass(frozen=True, slots=True)
class Views:
    """What is wanted.

    Attributes:
        name: What was replayed.
        rules: The alert rules.
        scores, step: Where to write the scores over time, and how far they are apart.
        reports: Files to write a report to.
        events, horizon: What to hold the alerts against, and how long before an event one counts.
        truth_out: Where to write what came of that.
    """

    name: str
    rules: AlertRules
    scores: Path | None
    step: timedelta
    reports: tuple[Path, ...]
    events: list[Event]
    horizon: timedelta
    truth_out: Path | None

    def show(self, result: Replayed, out: TextIO) -> None:
        """Write all of it; verdicts also to ``out``."""
        judged = self._judge(result)
        if judged is not None:
            self._tell(judged, out)
        if self.scores or self.reports:
            points = self._follow(result)
            self._report(result, points, judged)

    def _judge(self, result: Replayed) -> Judged | None:
        from pipeline.evaluation.episodes import Stretch, episodes
        from pipeline.evaluation.lead_time import judge

        if not self.events or result.begins is None:
            return None
        heard = {dyad for dyad, signal in result.signals if signal.active and "*" not in dyad.split("-")}
        return judge(episodes(result.alerts), self.events, Stretch(result.begins, result.ends), heard, self.horizon)

    def _tell(self, judged: Judged, out: TextIO) -> None:
        from pipeline.evaluation.verdicts import as_json, lines

        print("\n".join(lines(judged)), file=out)
        if self.truth_out:
            with whole(self.truth_out) as sink:
                sink.write(json.dumps(as_json(judged), indent=2) + "\n")

    def _follow(self, result: Replayed) -> dict[str, list[Point]]:
        """Write the scores over time; those of the dyads with an alert."""
        alerted = {alert.dyad for alert in result.alerts}
        kept: dict[str, list[Point]] = {}
        sink: BinaryIO | None
        with whole_bytes(self.scores) if self.scores else nullcontext() as sink:
            for points in self._timelines(result, alerted):
                if sink is not None:
                    sink.writelines(msgspec.json.encode(point) + b"\n" for point in points)
                if points[0].dyad in alerted:
                    kept[points[0].dyad] = points
        return kept

    def _timelines(self, result: Replayed, alerted: set[str]) -> Iterator[list[Point]]:
        from pipeline.timeline import timelines

        wanted = [each for each in result.signals if self.scores or each[0] in alerted]
        if result.ends is None:
            return
        with progress_bar("scores", len({dyad for dyad, _ in wanted})) as advance:
            yield from timelines(wanted, self.rules, result.ends, self.step, lambda _: advance(1))

    def _report(self, result: Replayed, points: dict[str, list[Point]], judged: Judged | None) -> None:
        from pipeline.report.content import Source, gather
        from pipeline.report.make import make

        source = Source(self.name, result.articles, result.begins, result.ends, result.signals, result.alerts, points)
        content = gather(source, self.rules, judged)
        for path in self.reports:
            make(content, path)


def prepared_events(truth: Path | None, reports: tuple[Path, ...]) -> list[Event]:
    """The events to hold the alerts against; what can fail at once does, before the long work.

    Raises:
        BrinkwatchError: The events can't be used, or no such report can be made.
    """
    if reports:
        from pipeline.report.make import check

        for path in reports:
            check(path)
    if truth is None:
        return []
    from pipeline.evaluation.truth import read_truth

    return read_truth(truth)
