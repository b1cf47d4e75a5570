"""Full text: how long a page takes to read, in how much memory; and what the gate costs that decides on it."""

from __future__ import annotations

import asyncio
import time
from statistics import median
from typing import Any

import psutil
from pageserver import PARAGRAPHS, article

from config.settings import load_settings
from connectors.formats import Source
from connectors.sandbox import Sandbox
from pipeline.extraction.worth import load_gate

PAGES = 200
LONG = 6
"""Times the paragraphs of the page: some 600 words, as a long news article has."""
NEWS = """Turkey moves two brigades towards the border with Greece
Turkey has moved two brigades towards the border with Greece, officials said on Monday; Athens called it a threat."""
PADDING = 60_000
"""Characters of style and script around it: pages of outlets are mostly that."""


def measure() -> dict[str, Any]:
    """Milliseconds of a page and of a teaser, and memory."""
    process = psutil.Process()
    before, begun = process.memory_info().rss, time.monotonic()
    gate = load_gate(load_settings())
    built, memory = time.monotonic() - begun, process.memory_info().rss - before
    return {
        "gate_build_s": round(built, 2),
        "gate_mb": round(memory / 1e6),
        "gate_ms": round(_each(lambda: gate(NEWS)), 2),
        **asyncio.run(_pages()),
    }


def _each(work: Any, times: int = 500) -> float:
    begun = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begun) / times * 1000


async def _pages() -> dict[str, Any]:
    head = f"<style>{'.a { color: red } ' * (PADDING // 36)}</style><script>{'var a = 1; ' * (PADDING // 22)}</script>"
    body = article(paragraphs=PARAGRAPHS * LONG, head=head).encode()
    taken = []
    async with Sandbox() as sandbox:
        await sandbox.page(body, Source("https://wire.example/story"))
        for _ in range(PAGES):
            begun = time.monotonic()
            await sandbox.page(body, Source("https://wire.example/story"))
            taken.append((time.monotonic() - begun) * 1000)
        child = sandbox._child  # the process that is measured
        memory = psutil.Process(child.pid).memory_info().rss if child else 0
    return {"page_kb": len(body) // 1000, "page_ms": round(median(taken), 1), "page_mb": round(memory / 1e6)}
