"""Articles of the project's own writing that benches run on."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from deploy.local.drill.story import load_story
from pipeline.extraction.lines import Line, as_article
from pipeline.records import Article
from pipeline.records.minhash import signature

ARTICLES = Path(__file__).with_name("articles.jsonl")
STATES = (
    "Russia", "Ukraine", "China", "Taiwan", "India", "Pakistan", "Iran", "Israel", "Egypt", "Ethiopia", "Serbia",
    "Kosovo", "Turkey", "Greece", "Japan",
)  # fmt: skip
"""Of whose pairs the loads of the benches tell."""


def articles() -> list[Article]:
    """The bench's corpus: 36 ordinary articles and 4 of crises, 350 to 650 words each."""
    return [_article(number, row) for number, row in enumerate(_rows())]


def kinds() -> list[str]:
    """``ordinary`` or ``crisis``, of each of ``articles``."""
    return [row["kind"] for row in _rows()]


def drill_articles() -> list[Article]:
    """What the drill's outlets publish, ordinary news among it."""
    return [
        msgspec.structs.replace(as_article(Line(id=number, title=one.title, text=one.text)), drill=True)
        for number, one in enumerate(load_story().articles)
    ]


def _rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ARTICLES.open(encoding="utf-8")]


def _article(number: int, row: dict[str, Any]) -> Article:
    published = datetime.fromisoformat(row["published"])
    return Article(
        article_id=f"{number:032x}",
        url="",
        title=row["title"],
        text=row["text"],
        language="en",
        source="bench.example",
        feed="bench",
        published_at=published,
        fetched_at=published,
        observed_at=published,
        content_hash="0" * 32,
        minhash=signature(row["text"]),
    )
