"""The frame that every dashboard has: its name, range, variables, links and annotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard

from deploy.grafana import pages
from deploy.grafana.palette import CRITICAL, TRANSITIONS
from deploy.grafana.panels import SOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana_foundation_sdk.cog.builder import Builder

    from deploy.grafana.panels import Ready

    Variable = Builder[dashboard.VariableModel]

TAG = "brinkwatch"


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading.

    Attributes:
        title: The heading.
        panels: In reading order; their widths fill whole lines of 24.
        folded: Whether it is closed at first: for what is not everybody's, and costs nothing until it is opened.
    """

    title: str
    panels: Sequence[Ready]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A series whose values above 0 are marked on every chart.

    Attributes:
        name: Of the annotation.
        expr: The series.
        title: Of a mark; ``{{label}}`` is a label of the series.
        colour: Of a mark.
        tags: Labels to show as tags.
    """

    name: str
    expr: str
    title: str
    colour: str
    tags: str = ""


class _Annotation(dashboard.AnnotationQuery):
    """With what Grafana's Prometheus data source knows of annotations, and the SDK does not."""

    def __init__(self, mark: Mark) -> None:
        super().__init__(name=mark.name, datasource=SOURCE, enable=True, icon_color=mark.colour, expr=mark.expr)
        self._mark = mark

    def to_json(self) -> dict[str, object]:
        more = {"titleFormat": self._mark.title, "tagKeys": self._mark.tags, "step": "60s", "useValueForTime": False}
        return {**super().to_json(), **more}


def _marks() -> list[Mark]:
    told = [
        Mark(
            f"Alerts {name}",
            f'sum by (level, rule) (increase(brinkwatch_alerts_total{{transition="{name}"}}[$__interval])) > 0',
            f"{name}: {{{{level}}}}",
            colour,
            "rule,level",
        )
        for name, colour in TRANSITIONS.items()
    ]
    firing = Mark(
        "Service alerts",
        'max by (alertname, severity) (ALERTS{alertstate="firing", alertname=~"Brinkwatch.+"})',
        "{{alertname}}",
        CRITICAL,
        "severity",
    )
    return [*told, firing]


def framed(
    name: str,
    title: str,
    description: str,
    *,
    rows: Sequence[Row] = (),
    loose: Sequence[Ready] = (),
    since: str = "now-6h",
    variables: Sequence[Variable] = (),
) -> dashboard.Dashboard:
    """A dashboard; its uid is ``brinkwatch-NAME``, and stays: links and bookmarks name it.

    Args:
        name: Last part of its uid.
        title: After *Brinkwatch /*.
        description: What it is for, in a sentence.
        rows: Panels under headings; what asks Prometheus.
        loose: Panels under no heading; they come first.
        since: The range at first, up to now.
        variables: What is chosen at its top, after the Prometheus.
    """
    made = build.Dashboard(f"Brinkwatch / {title}").uid(f"brinkwatch-{name}").description(description)
    made = made.tags([TAG]).time(since, "now").refresh("30s").timezone("browser").editable()
    made = made.tooltip(dashboard.DashboardCursorSync.CROSSHAIR).variables([_source(), *variables])
    for panel in loose:
        made = made.with_panel(panel)
    for row in rows:
        made = _add(made, row)
    board = made.build()
    board.links = [_to_dashboards(), _to_runbooks()]
    board.annotations = dashboard.AnnotationContainer([_Annotation(mark) for mark in (_marks() if rows else ())])
    return _numbered(board)


def _add(made: build.Dashboard, row: Row) -> build.Dashboard:
    """A folded row holds its panels; an open one is followed by them."""
    heading = build.Row(row.title).collapsed(row.folded)
    if row.folded:
        for panel in row.panels:
            heading = heading.with_panel(panel)
        return made.with_row(heading)
    made = made.with_row(heading)
    for panel in row.panels:
        made = made.with_panel(panel)
    return made


def _numbered(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Number the panels from 1 in reading order."""
    number = 0
    for panel in board.panels or []:
        inner = panel.panels if isinstance(panel, dashboard.RowPanel) else []
        for each in (panel, *inner):
            number += 1
            each.id_val = number
    return board


def _source() -> Variable:
    return build.DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def _to_dashboards() -> dashboard.DashboardLink:
    return dashboard.DashboardLink(
        title="Dashboards", type_val=dashboard.DashboardLinkType.DASHBOARDS, tags=[TAG], keep_time=True
    )


def _to_runbooks() -> dashboard.DashboardLink:
    return dashboard.DashboardLink(
        title="Runbooks",
        type_val=dashboard.DashboardLinkType.LINK,
        icon="doc",
        url=f"/d/{pages.UID}",
    )
