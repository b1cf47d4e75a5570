"""The processes that read articles: bounded in time and memory, replaced when they end, never left behind."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from processes import gone, until
from samples import article

from config.errors import BrinkwatchError
from config.settings import load_settings
from pipeline.extraction import forkserver
from pipeline.extraction.frames import Unable
from pipeline.extraction.sandbox import ExtractionFailed, Sandbox
from pipeline.records import encode
from tests.bench.corpus import drill_articles

SUPPORT = Path(__file__).parents[2] / "support"
EXTRACT = """
import sys
from config.settings import load_settings
from pipeline.extraction.sandbox import Sandbox
from samples import article
sandbox = Sandbox(load_settings(extract_timeout_s=60), "poison_engine")
sandbox.extract([article()])
print(sandbox._server.child.pid, flush=True)
sandbox.extract([article(text="hang")])
"""


@pytest.fixture
def sandbox(monkeypatch, request):
    """A sandbox whose engine obeys its articles; its bounds are low where they are to be hit."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SUPPORT), *sys.path]))
    seconds = 1 if "stalled" in request.node.name else 60
    memory = 1024 if "too_large" in request.node.name else 150
    made = Sandbox(load_settings(extract_timeout_s=seconds, extract_memory_mb=memory), "poison_engine")
    yield made
    made.close()


def failure(sandbox, *texts, alone=False):
    """Why these articles gave nothing: reason, in words, and whose process it cost."""
    with pytest.raises(ExtractionFailed) as caught:
        sandbox.extract([article(text=text) for text in texts], alone=alone)
    return caught.value


def workers(sandbox):
    return psutil.Process(sandbox.wait().child.pid).children()


@pytest.mark.parametrize(
    ("text", "reason", "ended", "why"),
    [
        ("hang", "stalled", "worker", "more than 1 s"),
        ("sleep", "stalled", "worker", "more than 1 s"),
        ("segfault", "crash", "worker", "SIGSEGV"),
        ("abort", "crash", "worker", "SIGABRT"),
        ("memory", "memory", "worker", "150 MB"),
        ("giant", "memory", "worker", "150 MB"),
        ("recursion", "crash", None, "RecursionError('too deep')"),
        ("flood", "too_large", None, "bytes"),
    ],
)
def test_each_poison_is_a_failure_with_its_reason(sandbox, text, reason, ended, why):
    """Whatever an article does to the process that reads it, extract learns what, and the next article is read."""
    server = sandbox.wait().child.pid
    failed = failure(sandbox, text, alone=True)
    assert (failed.reason, failed.ended) == (reason, ended)
    assert why in str(failed)
    assert len(sandbox.extract([article(), article()])) == 2
    assert sandbox.wait().child.pid == server, "the models were loaded again"


def test_a_batch_fails_with_its_worst_article(sandbox):
    """One poison spoils its batch; the neighbours can be read again by the worker that comes next."""
    assert failure(sandbox, "good", "abort", "good").reason == "crash"
    assert [found.outcome for found in sandbox.extract([article(), article()])] == ["signals", "signals"]


def test_alone_means_by_a_worker_that_has_read_nothing(sandbox):
    """An article is held guilty only for what it does by itself, not for what others left behind in the worker."""
    assert [found.sentences for found in sandbox.extract([article(), article()])] == [1, 2]
    assert [found.sentences for found in sandbox.extract([article()])] == [3]
    assert [found.sentences for found in sandbox.extract([article()], alone=True)] == [1]


def test_a_worker_killed_between_batches_costs_one_try(sandbox):
    """When the kernel takes an idle worker's memory, the batch that follows fails once, and is read the second time."""
    sandbox.extract([article()])
    (worker,) = workers(sandbox)
    worker.kill()
    until(lambda: gone(worker.pid))
    assert failure(sandbox, "good").reason == "memory"
    assert sandbox.extract([article()], alone=True)


def test_a_killed_fork_server_is_replaced(sandbox):
    """Its end is a failure that says so, its worker goes with it, and the next article has a new one."""
    sandbox.extract([article()])
    (worker,) = workers(sandbox)
    sandbox.wait().child.kill()
    failed = failure(sandbox, "good")
    assert (failed.reason, failed.ended) == ("crash", "server")
    assert until(lambda: gone(worker.pid))
    assert sandbox.extract([article()])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere an alarm does it, later")
def test_a_busy_worker_dies_with_a_killed_fork_server(sandbox):
    """Nobody is left who would end a worker that hangs: the kernel must, or it eats a core for ever."""
    sandbox.extract([article()])
    (worker,) = workers(sandbox)
    server = psutil.Process(sandbox.wait().child.pid)
    with ThreadPoolExecutor() as pool:
        failed = pool.submit(failure, sandbox, "hang")
        assert until(lambda: worker.cpu_times().user > 0.3), "the worker does not hang"
        server.kill()
        assert failed.result(60).ended == "server"
    try:
        assert until(lambda: gone(worker.pid))
    finally:
        if not gone(worker.pid):
            worker.kill()


def test_terminal_and_supervisor_signals_are_not_theirs(sandbox):
    """Ctrl-C and SIGTERM reach whole groups: extract drains, for which it needs what reads its articles."""
    sandbox.extract([article()])
    processes = [psutil.Process(sandbox.wait().child.pid), *workers(sandbox)]
    for process in processes:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
    assert sandbox.extract([article()])
    assert [process.pid for process in processes[1:]] == [process.pid for process in workers(sandbox)]
    assert os.getpgid(processes[0].pid) != os.getpgid(0)


def test_nothing_is_left_of_a_killed_extract():
    """After kill -9 of extract in the middle of an article that hangs, fork server and worker end at once."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SUPPORT), *sys.path])}
    extract = subprocess.Popen([sys.executable, "-c", EXTRACT], stdout=subprocess.PIPE, env=env)
    assert extract.stdout
    server = psutil.Process(int(extract.stdout.readline()))
    (worker,) = server.children()
    try:
        assert until(lambda: worker.cpu_times().user > 0.3), "the worker does not hang"
        extract.kill()
        extract.communicate()
        assert until(lambda: gone(server.pid) and gone(worker.pid))
    finally:
        for process in (extract, worker, server):
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue


def test_close_leaves_nothing(sandbox):
    """The processes end with their sandbox."""
    sandbox.extract([article()])
    pids = [sandbox.wait().child.pid, *(worker.pid for worker in workers(sandbox))]
    sandbox.close()
    assert until(lambda: all(gone(pid) for pid in pids))


def test_what_keeps_the_engine_from_loading_is_said():
    """A wrong setting ends extract with its own words, though another process found it."""
    sandbox = Sandbox(load_settings(spacy_model="no_such_model"))
    with pytest.raises(BrinkwatchError, match="loading the language model failed: no_such_model"):
        sandbox.wait()


def test_no_worker_to_be_had_is_no_fault_of_an_article(sandbox, monkeypatch):
    """Where the system can't fork, extract must end and try later: no article may become a dead letter for it."""

    def refuse():
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    server = forkserver.ForkServer(None, None, 300)
    order = forkserver.msgspec.msgpack.encode(forkserver.Order(1.0, fresh=True))
    reply = forkserver.msgspec.msgpack.decode(server._reply(order, b""), type=forkserver.Reply)
    assert isinstance(reply, Unable)
    monkeypatch.undo()
    monkeypatch.setattr(sandbox, "_asked", lambda *_: reply)
    with pytest.raises(BrinkwatchError, match="no more processes"):
        sandbox.extract([article()])


def test_a_lower_limit_of_the_operator_is_kept(monkeypatch):
    """Under a lower ulimit, or on a system that refuses this one, workers come up all the same."""

    def refuse(which, _):
        if which == resource.RLIMIT_AS:
            raise ValueError("not allowed to exceed maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    for name in ("dup2", "open"):
        monkeypatch.setattr(os, name, lambda *_: 0)
    monkeypatch.setattr(Path, "write_text", lambda *_, **__: 0)
    monkeypatch.setattr("ctypes.CDLL", lambda _: type("C", (), {"prctl": staticmethod(lambda *_: 0)}))
    forkserver._bound(1)


def test_signals_are_those_of_the_engine_itself(engine):
    """The way through the processes changes no byte of any signal."""
    articles = drill_articles()
    made = Sandbox(load_settings())
    try:
        across = made.extract(articles)
    finally:
        made.close()
    here = engine.extract(articles)
    assert across == here
    assert [encode(s) for e in across for s in e.signals] == [encode(s) for e in here for s in e.signals]


def test_a_huge_article_is_read_within_bounds():
    """Of ten thousand sentences that all tell of events the first are read: no dead letter, and nobody is held up."""
    sentence = "Russia has massed over {:,} troops on its border with Ukraine, officials in Kyiv said on Tuesday. "
    text = "".join(sentence.format(1000 + number) for number in range(10_000))
    made = Sandbox(load_settings())
    try:
        huge, after = made.extract([article(text=text), article(text=sentence.format(4000))])
    finally:
        made.close()
    assert huge.cut
    assert 1 <= len(huge.signals) <= 100
    assert after.outcome == "signals"
