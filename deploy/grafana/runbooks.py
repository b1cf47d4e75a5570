"""The dashboard *Runbooks*: what to do about each alert, where whoever sees it looks anyway."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard, text

from deploy.grafana import pages
from deploy.grafana.frame import framed
from deploy.grafana.panels import Ready

WIDTH, HEIGHT, OVERVIEW_HEIGHT = 24, 14, 40


def _panel(name: str) -> Ready:
    overview = name == pages.OVERVIEW
    panel = dashboard.Panel(
        type_val="text",
        title="All runbooks" if overview else name,
        options=text.Options(mode=text.TextMode.MARKDOWN, content=pages.content(name)),
    )
    panel.grid_pos = dashboard.GridPos(w=WIDTH, h=OVERVIEW_HEIGHT if overview else HEIGHT)
    return Ready(panel)


def runbooks() -> dashboard.Dashboard:
    """The dashboard. It has no rows: its panels' numbers are those of the pages."""
    return framed(
        "runbooks",
        "Runbooks",
        "What to do when Brinkwatch itself ails: a page for each alert about the service.",
        loose=[_panel(name) for name in pages.numbers()],
    )
