"""The worker pool that a runner asks for processes to run a job's DoFns in: Beam's EXTERNAL environment."""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

from config.errors import BrinkwatchError
from deploy.local.process import kill_group, signal_group, spawn

log = logging.getLogger(__name__)
# A runner asks for one at a time; one that is ending may still be there.
MAX_WORKERS = 4
LONGEST = 1000
THREADS = 4
LOOK_S = 0.2
# More than a worker takes to hand over.
PATIENCE_S = 28.0


@dataclass(frozen=True, slots=True)
class Order:
    """What the runner wants: a worker that calls it at ``control`` (host:port), or, without that, a worker's end."""

    worker_id: str
    control: str | None = None


class Servicer(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Takes the runner's orders; refuses what can't be done."""

    def __init__(self, orders: SimpleQueue[Order], count: Callable[[], int]) -> None:
        self._orders, self._count = orders, count

    def StartWorker(self, request: Any, _context: Any) -> Any:  # noqa: N802  the service's name for it
        """A worker is started soon."""
        name, control = request.worker_id, request.control_endpoint.url
        fault = self._fault(name, control)
        if fault is None:
            self._orders.put(Order(name, control))
            return beam_fn_api_pb2.StartWorkerResponse()
        why = f"starting a worker failed: {name[:100]!r} for {control[:100]!r}: {fault}"
        log.error(why)
        return beam_fn_api_pb2.StartWorkerResponse(error=why)

    def StopWorker(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """It is told to end."""
        self._orders.put(Order(request.worker_id))
        return beam_fn_api_pb2.StopWorkerResponse()

    def _fault(self, *words: str) -> str | None:
        """Why there can't be such a worker."""
        if not all(word.isprintable() and 0 < len(word) <= LONGEST for word in words):
            return f"a name and an endpoint are 1 to {LONGEST} printable characters"
        return f"there are {MAX_WORKERS} already" if self._count() >= MAX_WORKERS else None


class Pool:
    """Worker processes, started and ended as the runner orders. They die with this process.

    Args:
        command: Of a worker; its id and the runner's control endpoint are added.
        env: Of a worker.
    """

    def __init__(self, command: Sequence[str], env: dict[str, str]) -> None:
        self._command, self._env = command, env
        self._orders: SimpleQueue[Order] = SimpleQueue()
        # A runner counts its workers from the beginning at each start of a job: one may come while another of its
        # name is still ending.
        self._workers: list[tuple[str, subprocess.Popen[bytes]]] = []

    def run(self, host: str, port: int, stop: threading.Event) -> None:
        """Serve until ``stop`` is set, then have the workers hand over. From the main thread: the workers' parent.

        Raises:
            BrinkwatchError: The address can't be had.
        """
        server = self._listen(host, port)
        log.info("worker pool listens", extra={"fields": {"address": f"{host}:{port}"}})
        try:
            while not stop.is_set():
                self._step()
        finally:
            server.stop(grace=None)
            self._end_all()

    def _listen(self, host: str, port: int) -> Any:
        server = grpc.server(ThreadPoolExecutor(THREADS), options=[("grpc.so_reuseport", 0)])
        beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(
            Servicer(self._orders, lambda: len(self._workers)), server
        )
        try:
            server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise BrinkwatchError(f"listening failed: {host}:{port}: {error}") from None
        server.start()
        return server

    def _step(self) -> None:
        self._reap()
        try:
            order = self._orders.get(timeout=LOOK_S)
        except Empty:
            return
        if order.control is not None:
            command = [*self._command, "--", order.worker_id, order.control]
            self._workers.append((order.worker_id, spawn(command, sys.stderr.fileno(), env=self._env)))
            return
        for name, worker in self._workers:
            if name == order.worker_id:
                signal_group(worker, signal.SIGTERM)

    def _reap(self) -> None:
        for name, worker in list(self._workers):
            if (code := worker.poll()) is not None:
                self._workers.remove((name, worker))
                level = logging.INFO if code == 0 else logging.ERROR
                log.log(level, "worker ended", extra={"fields": {"worker": name, "pid": worker.pid, "code": code}})

    def _end_all(self) -> None:
        for _, worker in self._workers:
            signal_group(worker, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_S
        for _, worker in self._workers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(max(0.0, deadline - time.monotonic()))
            kill_group(worker)
