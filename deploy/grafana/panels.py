"""What all panels have in common: what they say of themselves, where their data comes from, and their colours."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, Literal

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.prometheus import Dataquery, PromQueryFormat

from deploy.grafana import pages
from deploy.grafana.palette import NEUTRAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
Steps = tuple[tuple[float, str], ...]
"""Colours, each from a value on."""
Answer = Literal["range", "instant", "table", "heatmap"]


@dataclass(frozen=True, slots=True)
class Text:
    """What a panel says of itself.

    Attributes:
        title: What it shows, in a few words.
        shows: The same in full: what exactly is counted or measured.
        good: What a good day looks like.
        act: What to do on another.
        runbook: Name of the page in docs/runbooks that goes on from there; empty: none.
    """

    title: str
    shows: str
    good: str
    act: str
    runbook: str = ""

    @property
    def description(self) -> str:
        """The panel's description, in Markdown."""
        return f"{self.shows}\n\n**Good:** {self.good}\n\n**Otherwise:** {self.act}"


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and the legend of each series that it gives."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """Width in columns of 24; height in rows of 38 pixels with their gap."""

    width: int = 8
    height: int = 8


class Ready(Builder[dashboard.Panel]):
    """A panel that is built, as the builder of a dashboard takes it."""

    def __init__(self, panel: dashboard.Panel) -> None:
        self._panel = panel

    def build(self) -> dashboard.Panel:
        """The panel."""
        return self._panel


def ready(panel: dashboard.Panel, text: Text, queries: Sequence[Query], size: Size, answer: Answer) -> Ready:
    """Give a panel its text, queries and size. A query's letter is its place, from A."""
    panel.title, panel.description, panel.datasource = text.title, text.description, SOURCE
    panel.grid_pos = dashboard.GridPos(w=size.width, h=size.height)
    panel.targets = [_target(letter, query, answer) for letter, query in zip(ascii_uppercase, queries, strict=False)]
    if text.runbook:
        panel.links = [_runbook(text.runbook)]
    return Ready(panel)


def _target(letter: str, query: Query, answer: Answer) -> Dataquery:
    form = {"table": PromQueryFormat.TABLE, "heatmap": PromQueryFormat.HEATMAP}
    once = answer in {"instant", "table"}
    return Dataquery(
        expr=query.expr,
        legend_format=query.legend or None,
        instant=once,
        range_val=not once,
        format_val=form.get(answer, PromQueryFormat.TIME_SERIES),
        ref_id=letter,
        datasource=SOURCE,
    )


def _runbook(name: str) -> dashboard.DashboardLink:
    """It opens beside this page: whoever reads it wants to see both."""
    return dashboard.DashboardLink(
        title="Runbook",
        type_val=dashboard.DashboardLinkType.LINK,
        url=f"/{pages.address(name)}",
        target_blank=True,
    )


def thresholds(steps: Steps, *, below: str = NEUTRAL) -> dashboard.ThresholdsConfig:
    """Thresholds with these steps; ``below`` the first of them."""
    first = dashboard.Threshold(value=None, color=below)
    rest = [dashboard.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig(mode=dashboard.ThresholdsMode.ABSOLUTE, steps=[first, *rest])


def words(meanings: Mapping[float, tuple[str, str]]) -> list[dashboard.ValueMapping]:
    """What to write for a value, and in which colour."""
    results = {
        f"{value:g}": dashboard.ValueMappingResult(text=text, color=colour, index=place)
        for place, (value, (text, colour)) in enumerate(meanings.items())
    }
    return [dashboard.ValueMap(options=results)]


def override(name: str, properties: Mapping[str, object]) -> dashboard.DashboardFieldConfigSourceOverrides:
    """Properties of the field of this name, by their ids: ``color``, ``custom.width``."""
    values = [dashboard.DynamicConfigValue(key, value) for key, value in properties.items()]
    return dashboard.DashboardFieldConfigSourceOverrides(dashboard.MatcherConfig("byName", name), values)


def fixed(colour: str) -> dict[str, str]:
    """A colour that nothing changes."""
    return {"mode": "fixed", "fixedColor": colour}


def coloured(colours: Mapping[str, str]) -> list[dashboard.DashboardFieldConfigSourceOverrides]:
    """Series in the colours that their names have."""
    return [override(name, {"color": fixed(colour)}) for name, colour in colours.items()]
