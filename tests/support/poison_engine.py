"""A fork server whose engine does what an article's text tells it to: hang, crash, fill the memory, or find a signal.

Run as a module in place of ``pipeline.extraction.forkserver``.
"""

from __future__ import annotations

import ctypes
import os
import re
import time
from collections.abc import Sequence

from samples import signal

from pipeline.extraction.engine import Extraction
from pipeline.extraction.forkserver import main
from pipeline.records import Article


class PoisonEngine:
    """Reads articles as nothing else would."""

    def __init__(self) -> None:
        self.read = 0

    def extract(self, articles: Sequence[Article]) -> list[Extraction]:
        """One signal an article, unless its text is one of the poisons."""
        return [self._extract(article) for article in articles]

    def _extract(self, article: Article) -> Extraction:
        match article.text:
            case "hang":
                re.match("(a|a)*b", "a" * 60)  # in C, with the interpreter's lock held
            case "sleep":
                time.sleep(1000)
            case "segfault":
                ctypes.string_at(0)
            case "abort":
                os.abort()
            case "memory":
                hoard = []
                while True:
                    hoard.append(b"x" * 10_000_000)
            case "giant":
                bytearray(1 << 45)
            case "recursion":
                raise RecursionError("too deep")
            case "flood":
                return self._found(article, signal(article_id=article.article_id, story="x" * (65 * 1024 * 1024)))
        self.read += 1
        return self._found(article, signal(article_id=article.article_id, signal_id=article.article_id))

    def _found(self, article: Article, one) -> Extraction:
        return Extraction(article.article_id, "signals", (one,), self.read, 1)


if __name__ == "__main__":
    main(lambda _: PoisonEngine())
