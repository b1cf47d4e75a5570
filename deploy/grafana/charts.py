"""Charts over time: lines, bars, states, and how values are spread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grafana_foundation_sdk.models import common, dashboard, heatmap, statetimeline, timeseries

from deploy.grafana.palette import FAINT
from deploy.grafana.panels import Query, Ready, Size, Steps, Text, coloured, fixed, ready, thresholds, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BRIDGED_MS = 900_000.0
"""A gap up to this long does not break a line: a process that was started again is no news here."""


@dataclass(frozen=True, slots=True)
class Style:
    """How series are drawn.

    Attributes:
        fill: Opacity under a line, per cent.
        stacked: One upon the other, filled.
        stepped: A value holds until the next; for what is counted, or a state.
        colours: By a series' name.
        faint: The letter of a query whose series are there for comparison: thin, dashed, and not in the legend.
        calcs: Figures in the legend, which then is a table; empty: a list of names.
        beside: The legend stands at the right, not below.
        minimum: Lowest value of the axis; None: of the data.
        maximum: The axis reaches at least this far; None: to the highest of the data.
        decimals: Of values; None: as fits.
        off: What to write in an empty chart of a part of the service that may be off; empty: Grafana's own words.
    """

    fill: int = 8
    stacked: bool = False
    stepped: bool = False
    colours: Mapping[str, str] = field(default_factory=dict)
    faint: str = ""
    calcs: tuple[str, ...] = ()
    beside: bool = False
    minimum: float | None = 0
    maximum: float | None = None
    decimals: int | None = None
    off: str = ""


PLAIN = Style()


def lines(
    text: Text, queries: Sequence[Query], *, unit: str, size: Size, style: Style = PLAIN, steps: Steps = ()
) -> Ready:
    """Series over time; ``steps`` are drawn as dashed lines."""
    defaults = dashboard.FieldConfig(
        unit=unit,
        min_val=style.minimum,
        decimals=style.decimals,
        no_value=style.off or None,
        color=dashboard.FieldColor(mode=dashboard.FieldColorModeId.PALETTE_CLASSIC),
        thresholds=thresholds(steps, below="transparent") if steps else None,
        custom=_drawn(style, marked=bool(steps)),
    )
    overrides = [*coloured(style.colours), *([_faint(style.faint)] if style.faint else [])]
    panel = dashboard.Panel(
        type_val="timeseries",
        options=timeseries.Options(legend=_legend(style), tooltip=_tooltip()),
        field_config=dashboard.FieldConfigSource(defaults, overrides),
    )
    return ready(panel, text, queries, size, "range")


def _drawn(style: Style, *, marked: bool) -> common.GraphFieldConfig:
    mode = common.GraphThresholdsStyleMode.DASHED if marked else common.GraphThresholdsStyleMode.OFF
    return common.GraphFieldConfig(
        draw_style=common.GraphDrawStyle.LINE,
        line_width=0 if style.stacked else 1,
        line_interpolation=common.LineInterpolation.STEP_AFTER if style.stepped else common.LineInterpolation.LINEAR,
        fill_opacity=65 if style.stacked else style.fill,
        show_points=common.VisibilityMode.NEVER,
        span_nulls=BRIDGED_MS,
        axis_soft_max=style.maximum,
        stacking=common.StackingConfig(
            common.StackingMode.NORMAL if style.stacked else common.StackingMode.NONE, group="A"
        ),
        thresholds_style=common.GraphThresholdsStyleConfig(mode),
    )


def _faint(letter: str) -> dashboard.DashboardFieldConfigSourceOverrides:
    properties = {
        "color": fixed(FAINT),
        "custom.lineStyle": {"fill": "dash", "dash": [4, 4]},
        "custom.fillOpacity": 0,
        "custom.hideFrom": {"legend": True, "tooltip": False, "viz": False},
    }
    values = [dashboard.DynamicConfigValue(key, value) for key, value in properties.items()]
    return dashboard.DashboardFieldConfigSourceOverrides(dashboard.MatcherConfig("byFrameRefID", letter), values)


def _legend(style: Style) -> common.VizLegendOptions:
    return common.VizLegendOptions(
        display_mode=common.LegendDisplayMode.TABLE if style.calcs else common.LegendDisplayMode.LIST,
        placement=common.LegendPlacement.RIGHT if style.beside else common.LegendPlacement.BOTTOM,
        show_legend=True,
        calcs=list(style.calcs),
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING)


def timeline(text: Text, queries: Sequence[Query], *, meanings: Mapping[float, tuple[str, str]], size: Size) -> Ready:
    """A band for each series, coloured by what its value means."""
    defaults = dashboard.FieldConfig(
        unit="none",
        mappings=words(meanings),
        color=dashboard.FieldColor(mode=dashboard.FieldColorModeId.THRESHOLDS),
        thresholds=thresholds((), below=FAINT),
        custom=statetimeline.FieldConfig(fill_opacity=85),
    )
    options = statetimeline.Options(
        show_value=common.VisibilityMode.NEVER,
        row_height=0.85,
        merge_values=True,
        legend=_legend(PLAIN),
        tooltip=_tooltip(),
    )
    panel = dashboard.Panel(
        type_val="state-timeline", options=options, field_config=dashboard.FieldConfigSource(defaults, [])
    )
    return ready(panel, text, queries, size, "range")


def density(text: Text, buckets: str, *, unit: str, size: Size) -> Ready:
    """How the values of a histogram are spread; ``buckets`` gives the rate of each, by ``le``."""
    options = heatmap.Options(
        color=heatmap.HeatmapColorOptions(
            mode=heatmap.HeatmapColorMode.SCHEME,
            scheme="Blues",
            fill="dark-blue",
            exponent=0.5,
            steps=32,
            reverse=False,
        ),
        filter_values=heatmap.FilterValueRange(le=1e-9),
        rows_frame=heatmap.RowsHeatmapOptions(layout=common.HeatmapCellLayout.AUTO),
        show_value=common.VisibilityMode.NEVER,
        y_axis=heatmap.YAxisConfig(unit=unit, axis_placement=common.AxisPlacement.LEFT),
        legend=heatmap.HeatmapLegend(show=True),
        tooltip=heatmap.HeatmapTooltip(mode=common.TooltipDisplayMode.SINGLE, y_histogram=True),
    )
    config = dashboard.FieldConfigSource(dashboard.FieldConfig(unit=unit, custom=heatmap.FieldConfig()), [])
    panel = dashboard.Panel(type_val="heatmap", options=options, field_config=config)
    return ready(panel, text, [Query(buckets, "{{le}}")], size, "heatmap")
