"""Single figures, and rankings of a few."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grafana_foundation_sdk.models import bargauge, common, dashboard, stat

from deploy.grafana.palette import NEUTRAL
from deploy.grafana.panels import Query, Ready, Size, Steps, Text, coloured, ready, thresholds, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LAST = common.ReduceDataOptions(values=False, calcs=["lastNotNull"], fields="")
SMALL = Size(3, 4)


@dataclass(frozen=True, slots=True)
class Look:
    """How figures look.

    Attributes:
        steps: Colours, each from a value on.
        below: The colour below the first step.
        meanings: What to write for a value instead, and its colour.
        colours: By a figure's name, where there are several.
        graph: Whether its past is drawn behind it.
        decimals: Of values; None: as fits.
        none: What to write where there is nothing.
        name_only: The figure's name is what matters.
    """

    steps: Steps = ()
    below: str = NEUTRAL
    meanings: Mapping[float, tuple[str, str]] = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)
    graph: bool = True
    decimals: int | None = None
    none: str = "-"
    name_only: bool = False


PLAIN = Look()


def figure(text: Text, queries: Sequence[Query], *, unit: str, size: Size = SMALL, look: Look = PLAIN) -> Ready:
    """Figures, each the last of its series; several stand side by side with their names."""
    options = stat.Options(
        graph_mode=common.BigValueGraphMode.AREA if look.graph else common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.VALUE,
        justify_mode=common.BigValueJustifyMode.AUTO,
        text_mode=_mode(queries, look),
        wide_layout=False,
        reduce_options=LAST,
        orientation=common.VizOrientation.AUTO,
    )
    panel = dashboard.Panel(type_val="stat", options=options, field_config=_config(unit, look))
    return ready(panel, text, queries, size, "range" if look.graph else "instant")


def _mode(queries: Sequence[Query], look: Look) -> common.BigValueTextMode:
    if look.name_only:
        return common.BigValueTextMode.NAME
    named = any(query.legend for query in queries)
    return common.BigValueTextMode.VALUE_AND_NAME if named else common.BigValueTextMode.VALUE


def ranking(text: Text, query: Query, *, unit: str, size: Size, look: Look = PLAIN) -> Ready:
    """A bar for each series of an instant query, in the order in which they come."""
    options = bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        value_mode=common.BarGaugeValueMode.TEXT,
        name_placement=common.BarGaugeNamePlacement.LEFT,
        show_unfilled=False,
        sizing=common.BarGaugeSizing.AUTO,
        min_viz_height=14,
        max_viz_height=24,
        reduce_options=LAST,
        orientation=common.VizOrientation.HORIZONTAL,
    )
    config = _config(unit, look)
    config.defaults.min_val = 0
    panel = dashboard.Panel(type_val="bargauge", options=options, field_config=config)
    return ready(panel, text, [query], size, "instant")


def _config(unit: str, look: Look) -> dashboard.FieldConfigSource:
    defaults = dashboard.FieldConfig(
        unit=unit,
        decimals=look.decimals,
        no_value=look.none,
        mappings=words(look.meanings) if look.meanings else None,
        color=dashboard.FieldColor(mode=dashboard.FieldColorModeId.THRESHOLDS),
        thresholds=thresholds(look.steps, below=look.below),
    )
    return dashboard.FieldConfigSource(defaults, coloured(look.colours))
