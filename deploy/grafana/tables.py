"""Tables: a row for each thing that all queries tell of, a column for each query."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING

from grafana_foundation_sdk.models import common, dashboard, table

from deploy.grafana.panels import Query, Ready, Size, Steps, Text, override, ready, thresholds, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: Its heading.
        expr: Query whose values it holds; empty: it holds a label.
        label: The label that it holds.
        unit: Of its values.
        width: In pixels; None: what is left.
        decimals: Of its values.
        cell: How a cell is drawn: ``auto``, ``color-text``, ``color-background`` or ``gauge``.
        steps: Colours, each from a value on.
        below: The colour below the first step.
        meanings: What to write for a value instead, and its colour.
        full: The value at which a gauge is full; None: the highest in the column.
        link: Where a click leads; ``${__data.fields.x}`` is another field of the row.
        hidden: Whether it is only there for links.
    """

    name: str
    expr: str = ""
    label: str = ""
    unit: str = "none"
    width: int | None = None
    decimals: int | None = None
    cell: str = "auto"
    steps: Steps = ()
    below: str = "text"
    meanings: Mapping[float, tuple[str, str]] | None = None
    full: float | None = None
    link: str = ""
    hidden: bool = False


def grid(text: Text, columns: Sequence[Column], *, size: Size, sort: str, descending: bool = True) -> Ready:
    """A table. Its queries' values are merged into rows by the labels that they share."""
    queries = [Query(column.expr) for column in columns if column.expr]
    options = table.Options(
        show_header=True,
        cell_height=common.TableCellHeight.SM,
        sort_by=[common.TableSortByFieldState(display_name=sort, desc=descending)],
        footer=common.TableFooterOptions(show=False, reducer=[]),
    )
    defaults = dashboard.FieldConfig(
        unit="none",
        no_value="-",
        custom=common.TableFieldOptions(align=common.FieldTextAlignment.AUTO, filterable=False),
    )
    overrides = [override(column.name, _properties(column)) for column in columns]
    panel = dashboard.Panel(
        type_val="table",
        options=options,
        field_config=dashboard.FieldConfigSource(defaults, overrides),
        transformations=[dashboard.DataTransformerConfig("merge", options={}), _organized(columns)],
    )
    return ready(panel, text, queries, size, "table")


def _organized(columns: Sequence[Column]) -> dashboard.DataTransformerConfig:
    """Grafana names a value after its query's letter, and just ``Value`` where there is one query only."""
    letters = iter(ascii_uppercase)
    alone = sum(bool(column.expr) for column in columns) == 1
    fields = [("Value" if alone else f"Value #{next(letters)}") if each.expr else each.label for each in columns]
    options = {
        "excludeByName": {"Time": True},
        "indexByName": {name: place for place, name in enumerate(fields)},
        "renameByName": {name: column.name for name, column in zip(fields, columns, strict=True)},
    }
    return dashboard.DataTransformerConfig("organize", options=options)


def _properties(column: Column) -> dict[str, object]:
    """The overrides of a column, by their ids."""
    properties: dict[str, object] = {"unit": column.unit}
    if column.width:
        properties["custom.width"] = column.width
    if column.decimals is not None:
        properties["decimals"] = column.decimals
    if column.cell != "auto":
        properties["custom.cellOptions"] = _cell(column.cell)
        properties["thresholds"] = thresholds(column.steps, below=column.below)
        properties["color"] = {"mode": "thresholds"}
    if column.meanings:
        properties["mappings"] = words(column.meanings)
    if column.full is not None:
        properties |= {"min": 0, "max": column.full}
    if column.link:
        properties["links"] = [{"title": "Open", "url": column.link}]
    if column.hidden:
        properties["custom.hidden"] = True
    return properties


def _cell(kind: str) -> dict[str, str]:
    more = {"gauge": {"mode": "basic", "valueDisplayMode": "text"}, "color-background": {"mode": "basic"}}
    return {"type": kind, **more.get(kind, {})}
