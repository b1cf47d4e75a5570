"""Rows: a table whose rows come and go while a person looks at it: the cursor stays on what it was on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

Cells = tuple[Text, ...]
Columns = Sequence[tuple[str, int]]


class Rows(DataTable[Text]):
    """A table of records by key.

    Args:
        columns: Heading and width of each.
        id: Of the widget.
        show_header: Whether the headings are shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Whole evidence"),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    def __init__(self, columns: Columns, *, id: str, show_header: bool = True) -> None:  # noqa: A002  textual's name
        super().__init__(id=id, cursor_type="row", cursor_foreground_priority="renderable", show_header=show_header)
        self._widths = columns
        self._shown: dict[str, Cells] = {}

    def on_mount(self) -> None:
        """Make the columns."""
        for label, width in self._widths:
            self.add_column(label, width=width)

    @property
    def chosen(self) -> str | None:
        """Key of the row under the cursor; None where there is none."""
        keys = list(self._shown)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    def show(self, rows: Sequence[tuple[str, Cells]]) -> None:
        """Show these rows, in this order: where only cells changed, only they are drawn anew."""
        new = dict(rows)
        if list(new) == list(self._shown):
            self._update(new)
        else:
            self._replace(new)

    def _update(self, new: dict[str, Cells]) -> None:
        for number, (key, cells) in enumerate(new.items()):
            for column, (before, now) in enumerate(zip(self._shown[key], cells, strict=True)):
                if before != now or before.spans != now.spans or before.style != now.style:
                    self.update_cell_at((number, column), now)  # type: ignore[arg-type]  # textual takes a pair
        self._shown = new

    def _replace(self, new: dict[str, Cells]) -> None:
        chosen, scroll = self.chosen, self.scroll_y
        self.clear()
        self._shown = new
        for key, cells in new.items():
            self.add_row(*cells, key=key)
        if chosen in new:
            self.move_cursor(row=list(new).index(chosen), animate=False)
            self.scroll_to(y=scroll, animate=False)
