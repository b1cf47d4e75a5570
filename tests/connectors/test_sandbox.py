"""The parser's process."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys

import feedserver
import msgspec
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import sandbox as module
from connectors.entry import Parsed
from connectors.formats import Source
from connectors.outcome import Outcome
from connectors.sandbox import Sandbox, answer

HERE = Source("https://e.example/")
CONNECTOR = """
import asyncio, time
from connectors.formats import Source
from connectors.sandbox import Sandbox
async def main():
    async with Sandbox() as sandbox:
        await sandbox.parse(b"x", Source("https://e.example/"))
        print(sandbox._child.pid, flush=True)
        time.sleep(60)
asyncio.run(main())
"""
BUSY = """
import os, re, connectors.sandbox as sandbox
sandbox.START_S = 0.3
sandbox.answer = lambda _: re.match("(a|a)*b", "a" * 60)
sandbox.main(os.getppid(), 20.0)
"""


async def test_what_can_not_be_handed_over_is_a_label():
    """A text that no encoder takes does not come out as an exception, and the parser goes on."""
    async with Sandbox() as sandbox:
        odd = await sandbox.parse(b"x", Source("https://e.example/", "text/xml; charset=\udcff"))
        assert odd.outcome is Outcome.PARSE_FAILED
        assert (await sandbox.parse(feedserver.rss().encode(), HERE)).outcome is Outcome.OK


async def test_a_parser_that_hangs_is_ended_and_replaced():
    """A body that holds the parser up costs its own poll and no other."""
    async with Sandbox(parse_s=0.3) as sandbox:
        assert (await sandbox.parse(feedserver.rss().encode(), HERE)).outcome is Outcome.OK
        assert sandbox._child
        os.kill(sandbox._child.pid, signal.SIGSTOP)
        hung = await sandbox.parse(feedserver.rss().encode(), HERE)
        assert (hung.outcome, hung.error) == (Outcome.PARSE_FAILED, "parsing took more than 0.3 s")
        assert (await sandbox.parse(feedserver.rss().encode(), HERE)).outcome is Outcome.OK


async def test_a_parser_that_dies_is_replaced():
    """A crash of the parser is an outcome of the feed, and the next feed is read."""
    async with Sandbox() as sandbox:
        await sandbox.parse(b"x", HERE)
        assert sandbox._child
        sandbox._child.kill()
        died = await sandbox.parse(feedserver.rss().encode(), HERE)
        assert died.outcome in {Outcome.PARSE_FAILED, Outcome.OK}
        assert (await sandbox.parse(feedserver.rss().encode(), HERE)).outcome is Outcome.OK


async def test_cancelled_in_the_middle_it_does_not_mix_answers():
    """After a stop in mid-parse, no later feed gets the earlier one's entries."""
    async with Sandbox() as sandbox:
        await sandbox.parse(b"x", HERE)
        task = asyncio.create_task(sandbox.parse(feedserver.rss(2000).encode(), HERE))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len((await sandbox.parse(feedserver.rss(3).encode(), HERE)).entries) == 3


async def test_feeds_parsed_at_once_get_their_own_entries():
    """Polls share one parser; each waits its turn."""
    async with Sandbox() as sandbox:
        parsed = await asyncio.gather(*(sandbox.parse(feedserver.rss(n).encode(), HERE) for n in range(1, 8)))
    assert [len(one.entries) for one in parsed] == list(range(1, 8))


async def test_no_parser_is_left_behind():
    """The child ends with its sandbox."""
    async with Sandbox() as sandbox:
        await sandbox.parse(b"x", HERE)
        assert sandbox._child
        pid = sandbox._child.pid
    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere an alarm does it, later")
def test_a_busy_parser_dies_with_a_killed_connector():
    """After kill -9 of the connector, a parser that does not look at its stdin is not left to eat a core."""
    connector = subprocess.Popen([sys.executable, "-c", CONNECTOR], stdout=subprocess.PIPE)
    assert connector.stdout
    parser = psutil.Process(int(connector.stdout.readline()))
    parser.suspend()  # as deaf as one in the middle of a frame
    connector.kill()
    connector.communicate()
    try:
        parser.wait(timeout=20)
    finally:
        if parser.is_running():
            parser.kill()


def test_a_frame_that_nobody_ends_is_ended_by_an_alarm():
    """A parser whose regular expression runs away ends itself where no connector is left to do it."""
    parser = subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE)
    assert parser.stdin
    try:
        parser.stdin.write(b"\0\0\0\x01x")
        parser.stdin.flush()
        assert parser.wait(timeout=20) == -signal.SIGALRM
    finally:
        parser.kill()
        parser.stdin.close()


def test_a_system_without_a_bound_on_memory_parses(monkeypatch: pytest.MonkeyPatch):
    """Where the limit can't be set (macOS refuses it), the parser starts all the same, and its other limit holds."""
    limited = []

    def refuse(which: int, _: tuple[int, int]) -> None:
        if which == resource.RLIMIT_AS:
            raise ValueError("current limit exceeds maximum limit")
        limited.append(which)

    monkeypatch.setattr(resource, "setrlimit", refuse)
    module._bound_memory()
    assert limited == [resource.RLIMIT_CORE]


def test_what_the_parser_raises_is_an_outcome(monkeypatch: pytest.MonkeyPatch):
    """Feedparser's many parsers raise many things; each feed that makes them do so gets its label."""

    def fail(*_: object) -> Parsed:
        raise RecursionError("too deep")

    monkeypatch.setattr(module, "parse", fail)
    reply = msgspec.msgpack.decode(answer(msgspec.msgpack.encode(module._Job(b"", "", ""))), type=Parsed)
    assert (reply.outcome, reply.error) == (Outcome.PARSE_FAILED, "RecursionError: too deep")


def test_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """A feed whose text would fill the connector's memory does not leave the parser."""
    monkeypatch.setattr(module, "MAX_REPLY", 1000)
    job = msgspec.msgpack.encode(module._Job(feedserver.rss(50).encode(), "", ""))
    assert msgspec.msgpack.decode(answer(job), type=Parsed).outcome is Outcome.TOO_LARGE


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_no_body_gets_past_its_label(data: st.DataObject):
    """Random bytes, and good feeds with bytes changed, cut and doubled, are all read to an answer in bounds."""
    base = data.draw(
        st.sampled_from([feedserver.rss(4), feedserver.ATOM, feedserver.JSON, feedserver.LAUGHS, ""])
    ).encode()
    start, end = sorted((data.draw(st.integers(0, len(base))), data.draw(st.integers(0, len(base)))))
    body = base[:start] + data.draw(st.binary(max_size=40)) + base[end:] + base[: data.draw(st.integers(0, 50))]
    content_type = data.draw(st.sampled_from(["", "text/xml", "text/xml; charset=utf-16", "a; charset=\x00"]))
    reply = msgspec.msgpack.decode(answer(msgspec.msgpack.encode(module._Job(body, "", content_type))), type=Parsed)
    assert reply.outcome is not Outcome.PARSE_FAILED
    assert reply.outcome is Outcome.OK or reply.error
