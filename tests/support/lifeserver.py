"""A day as ``lifelike`` tells it, for a Prometheus to scrape live, or as a past that it never saw.

So dashboards can be looked at, and their queries tried, where no service has run for a day. As a program, it serves, or
writes a history for ``promtool tsdb create-blocks-from``; both tell of the same days where the moment is given last::

    python tests/support/lifeserver.py history 30 1767225600 > history.txt
    python tests/support/lifeserver.py serve 9500 1767225600
"""

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from lifelike import PROCESSES, World, common
from prometheus_client import CollectorRegistry, generate_latest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

STEP_S = 60


class _Snapshot:
    """One process at one moment, as prometheus_client collects it."""

    def __init__(self, process: str, world: World, now: float) -> None:
        self._process, self._world, self._now = process, world, now

    def collect(self) -> Iterator[Metric]:
        """Its families."""
        yield from common(self._world, self._now, self._process)
        yield from PROCESSES[self._process](self._world, self._now)


def exposition(process: str, world: World, now: float) -> bytes:
    """What GET /metrics of a process would answer."""
    registry = CollectorRegistry()
    registry.register(_Snapshot(process, world, now))
    return generate_latest(registry)


def job(process: str) -> str:
    """The name of its job in Prometheus."""
    return f"brinkwatch-{process}"


def history(world: World, since: float, until: float, instance: str) -> Iterator[str]:
    """Lines of OpenMetrics: everything, every minute, with the labels that a scrape of ``serve`` would give."""
    for moment in range(int(since), int(until), STEP_S):
        for process in PROCESSES:
            target = f'instance="{instance}",job="{job(process)}"'
            yield f"up{{{target}}} 1 {moment}"
            for family in _Snapshot(process, world, moment).collect():
                for sample in family.samples:
                    labels = "".join(f',{name}="{value}"' for name, value in sample.labels.items())
                    yield f"{sample.name}{{{target}{labels}}} {float(sample.value)} {moment}"
    yield "# EOF"


def serve(port: int, world: World | None = None) -> ThreadingHTTPServer:
    """A server on loopback, not yet running; ``/connect`` and so on are the processes. Port 0: any."""
    lived = world or World.until(time.time())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            process = self.path.strip("/").removesuffix("/metrics")
            self.send_response(200 if process in PROCESSES else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            if process in PROCESSES:
                self.wfile.write(exposition(process, lived, time.time()))

        def log_message(self, *_: object) -> None:
            """Nothing: a scrape a second is no news."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Serve, or write a history; both tell of the same days where ``TOLD_AT`` (Unix time) is given last."""
    verb, number, *rest = sys.argv[1:]
    told_at = float(rest[0]) if rest else time.time()
    if verb == "serve":
        serve(int(number), World.until(told_at)).serve_forever()
    for line in history(World.until(told_at), told_at - float(number) * 3600, told_at, "127.0.0.1"):
        print(line)


if __name__ == "__main__":
    main()
