"""Explanations in a terminal: colours where there are some, else brackets, so that nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from pipeline.explain.facts import counts, facts, headline
from pipeline.explain.marks import NAMED, Role, pieces, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from pipeline.explain.marks import Piece
    from pipeline.explain.reasons import Explained, Passage
    from pipeline.records import Article, Signal

WIDTH = 80
MOST = 100
"""Columns: what a pipe gets, and the most that is read with ease."""
SHOWN_SILENT = 300
STYLES = {
    Role.TRIGGER: "bold black on yellow",
    Role.CUE: "bold white on magenta",
    Role.MAGNITUDE: "bold green",
    Role.ACTOR: "bold white on red",
    Role.RECIPIENT: "bold white on blue",
    Role.PLACE: "italic cyan",
    Role.OUTLET: "italic magenta",
    Role.SPEAKER: "underline yellow",
    Role.CONDITION: "underline green",
}


class Teller:
    """Writes explanations, one article after another, to a terminal or a file."""

    def __init__(self, out: TextIO) -> None:
        from rich.console import Console

        self._console = Console(file=out, highlight=False, markup=False, emoji=False, soft_wrap=False)
        self._colours = self._console.is_terminal and self._console.color_system is not None and not _no_color()
        columns = min(self._console.width, MOST) if self._console.is_terminal else WIDTH
        self._console = Console(
            file=out, width=max(columns, 40), highlight=False, markup=False, emoji=False,
            force_terminal=self._console.is_terminal, no_color=not self._colours,
        )  # fmt: skip
        self._any = False

    def tell(self, explained: Explained, name: str) -> None:
        """Write one article's explanation under ``name``; before the first, what the colours mean."""
        if not self._any:
            self._print(self._legend())
        self._any = True
        self._print(_heading(explained.article, name))
        if explained.note:
            self._print(_text(f"  {visible(explained.note)}", "dim"))
        numbers: dict[str, int] = {}
        for passage in explained.passages:
            numbers |= {s.signal_id: len(numbers) + n for n, s in enumerate(passage.signals, 1)}
            self._passage(passage, numbers)
        if not explained.passages and not explained.note:
            self._print(_text("  nothing to read", "dim"))

    def _passage(self, passage: Passage, numbers: Mapping[str, int]) -> None:
        if not passage.signals:
            self._print(*_silent(passage, self._console))
            return
        self._print(_text(""), self._sentence(pieces(passage.sentence, passage.signals, numbers)))
        for signal in passage.signals:
            self._print(*_signal(signal, numbers[signal.signal_id], self._console))

    def _print(self, *lines: Text) -> None:
        for line in lines:
            for row in line.wrap(self._console, self._console.width):
                row.rstrip()
                self._console.print(row)

    def _legend(self) -> Text:
        from rich.text import Text

        if not self._colours:
            return Text("Words in brackets: [what they are: the words]")
        legend = Text("Colours: ")
        for role in Role:
            legend.append(role.value, STYLES[role]).append("  ")
        return legend

    def _sentence(self, found: Sequence[Piece]) -> Text:
        from rich.text import Text

        text = Text()
        for piece in found:
            if piece.mark is None:
                text.append(piece.text)
            elif self._colours:
                text.append(piece.text, STYLES[piece.mark.role])
            else:
                label = f"{piece.mark.role} {piece.mark.label}" if piece.mark.role in NAMED else piece.mark.role.value
                text.append(f"[{label}: {piece.text}]" if piece.first else f"[…: {piece.text}]")
        return text


def _no_color() -> bool:
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style)


def _heading(article: Article, name: str) -> Text:
    from pipeline.extraction.engine import UNDATED

    when = "no date" if article.published_at == UNDATED else f"{article.published_at:%Y-%m-%d}"
    return _text("\n").append(visible(name)[:WIDTH], "bold").append(f"  {when}", "dim")


def _silent(passage: Passage, console: Console) -> Iterator[Text]:
    """One line: as much of the sentence as fits, and the reason."""
    reason = f" {passage.why}"
    room = max(console.width - len(reason) - 6, 16)
    sentence = " ".join(visible(passage.sentence.text[:SHOWN_SILENT]).split())
    sentence = sentence if len(sentence) <= room else sentence[: room - 1].rstrip() + "…"
    line = _text(f"  · “{sentence}”{reason}", "dim")
    line.truncate(console.width, overflow="ellipsis")
    yield line


def _signal(signal: Signal, number: int, console: Console) -> Iterator[Text]:
    """The signal's head, then its facts, each on as many lines as it takes, beside its label."""
    head = _text(f"  {number}  ", "bold").append(headline(signal), "bold")
    yield head.append(f"   {counts(signal)}", "green" if signal.active else "dim")
    for label, value in facts(signal):
        wrapped = _text(value).wrap(console, max(console.width - 18, 20))
        for place, line in enumerate(wrapped):
            yield _text(f"     {label if place == 0 else '':<12} ", "dim").append(line)
