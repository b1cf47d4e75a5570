"""The worker pool as a runner meets it: real gRPC, real processes that do nothing."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

import grpc
import psutil
import pytest
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc, endpoints_pb2
from service import wait_for

from config.errors import BrinkwatchError
from deploy.local.process import Port
from pipeline.transforms.pool import MAX_WORKERS, Pool

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


class Running:
    """A pool and a runner's connection to it. Workers are children of the main thread, so that is where the pool is."""

    def __init__(self, orders) -> None:
        self.failure = None
        self._stop, self._orders = threading.Event(), orders

    def __enter__(self):
        self._port = Port()
        return self

    def __exit__(self, *_):
        self._port.release()

    def serve(self) -> None:
        """Serve until the orders, given by another thread, are done."""
        thread = threading.Thread(target=self._give)
        thread.start()
        Pool(SLEEP, dict(os.environ)).run("127.0.0.1", self._port.hand_over(), self._stop)
        thread.join()
        if self.failure:
            raise self.failure

    def start(self, name) -> str:
        """Ask for a worker; the pool's complaint."""
        control = endpoints_pb2.ApiServiceDescriptor(url="127.0.0.1:1")
        request = beam_fn_api_pb2.StartWorkerRequest(worker_id=name, control_endpoint=control)
        return self._stub.StartWorker(request, wait_for_ready=True, timeout=30).error

    def end(self, name) -> None:
        """Ask for its end."""
        self._stub.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id=name), timeout=30)

    def _give(self) -> None:
        try:
            with grpc.insecure_channel(f"127.0.0.1:{self._port.number}") as channel:
                self._stub = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel)
                self._orders(self)
        except BaseException as error:  # noqa: BLE001  raised again in the test's own thread
            self.failure = error
        finally:
            self._stop.set()


def processes() -> list[list[str]]:
    """The arguments of the workers that live."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "127.0.0.1:1" in (words := child.cmdline()):
                found.append(words[-2:])
    return sorted(found)


def test_workers_come_and_go_as_ordered_and_none_is_left():
    """A worker that outlives its order, or the pool, would keep partitions that nobody reads."""

    def orders(runner):
        for name in ("a", "b"):
            assert runner.start(name) == ""
        wait_for(lambda: processes() == [["a", "127.0.0.1:1"], ["b", "127.0.0.1:1"]], 30, "two workers")
        runner.end("a")
        runner.end("nobody")
        wait_for(lambda: processes() == [["b", "127.0.0.1:1"]], 30, "one to end")
        assert runner.start("a") == ""
        wait_for(lambda: len(processes()) == 2, 30, "a new one of the same name")

    with Running(orders) as running:
        running.serve()
    assert processes() == []


def test_there_is_a_most(capfd):
    """A runner that asks again and again must not fill the machine with processes."""

    def orders(runner):
        for number in range(MAX_WORKERS):
            assert runner.start(str(number)) == ""
            wait_for(lambda n=number: len(processes()) == n + 1, 30, "it")
        assert f"there are {MAX_WORKERS} already" in runner.start("more")

    with Running(orders) as running:
        running.serve()


def test_a_name_that_is_none_is_refused():
    """It becomes a word of a command line: it must neither break that nor be taken for an option."""

    def orders(runner):
        for name in ("", "a\0b", "a\nb", "a" * 1001):
            assert "printable characters" in runner.start(name)
        assert runner.start("--help") == ""
        wait_for(lambda: processes() == [["--help", "127.0.0.1:1"]], 30, "the one of an odd name")

    with Running(orders) as running:
        running.serve()


def test_a_port_that_is_taken_is_named():
    """Two pools on one port would each get some of the orders."""
    with Port() as port:
        taken = grpc.server(None)
        taken.add_insecure_port(f"127.0.0.1:{port.hand_over()}")
        with pytest.raises(BrinkwatchError, match=f"listening failed: 127.0.0.1:{port.number}"):
            Pool(SLEEP, {}).run("127.0.0.1", port.number, threading.Event())
        taken.stop(None)
