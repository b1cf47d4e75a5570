"""Making a report: as a page or as a picture, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from config.errors import BrinkwatchError
from pipeline.explain.files import whole, whole_bytes
from pipeline.report.content import Content
from pipeline.report.page import page
from pipeline.report.verdicts import section

KINDS = (".html", ".png")


def check(path: Path) -> None:
    """Make sure, before the long work, that a report can be made.

    Raises:
        BrinkwatchError: The file is neither a page nor a picture, or matplotlib is missing.
    """
    if path.suffix.lower() not in KINDS:
        raise BrinkwatchError(f"making the report failed: {path}: a file that ends with .html or .png")
    import pipeline.report.chart  # noqa: F401  that it can be had is all that is asked


def make(content: Content, path: Path) -> None:
    """Write the report.

    Raises:
        BrinkwatchError: It can't be made or written.
    """
    from pipeline.report.chart import key, svg
    from pipeline.report.picture import png

    if path.suffix.lower() == ".png":
        with whole_bytes(path) as picture:
            picture.write(png(content))
        return
    with whole(path) as sink:
        verdicts = section(content.judged) if content.judged else ""
        sink.writelines(page(content, svg, key(with_events=content.judged is not None), verdicts))
