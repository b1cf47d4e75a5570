"""Run: lines in, explanations out, in the terminal, as a page, or both; and the answers besides, where asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from pipeline.explain import page
from pipeline.explain.files import whole
from pipeline.explain.terminal import Teller
from pipeline.extraction.lines import Read, answer_line, use_lines

if TYPE_CHECKING:
    from pipeline.explain.reasons import Explainer
    from pipeline.extraction.engine import Engine

MAX_ON_PAGE = 500
"""Articles on one page: more than anybody scrolls through, and a browser still takes them."""


class Views:
    """Where explanations go. Used as a context: the page takes its place when all went well."""

    def __init__(self, terminal: TextIO | None, html: Path | None, answers: TextIO | None) -> None:
        self._teller = Teller(terminal) if terminal else None
        self._html = html
        self._page: TextIO | None = None
        self._answers = answers
        self._stack = ExitStack()
        self._read = 0

    def __enter__(self) -> Self:
        if self._html:
            self._page = self._stack.enter_context(whole(self._html))
            self._page.write(page.head())
        return self

    def __exit__(self, *failure: object) -> None:
        if self._page and failure[0] is None:
            shown = min(self._read, MAX_ON_PAGE)
            self._page.write(page.foot(shown, self._read - shown))
        self._stack.__exit__(*failure)  # type: ignore[arg-type]  # the three that Python hands to every context

    def show(self, read: Read, explainer: Explainer) -> None:
        """One article's explanation to every view, and its answer."""
        self._read += 1
        explained = explainer.explain(read.article, read.extraction)
        name = str(read.line.id)
        if self._teller:
            self._teller.tell(explained, name)
        if self._page and self._read <= MAX_ON_PAGE:
            self._page.write(page.article(explained, name, self._read))
        if self._answers:
            self._answers.write(answer_line(read))


def run_views(source: Iterable[str], views: Views, engine: Engine, explainer: Explainer) -> int:
    """Explain every line of ``source``, in order; lines that can't be used are logged and left out.

    Returns:
        How many lines could not be used.
    """

    def show(reads: Sequence[Read]) -> None:
        for read in reads:
            views.show(read, explainer)

    return use_lines(source, engine, show)
