"""Processes of the service for tests: run for real, always ended, with what they said at hand when a test fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psutil
from kafka import TopicPartition

from config.settings import Settings
from deploy.local.installation import environment
from pipeline.kafka.client import consumer
from pipeline.kafka.message import Message, flat
from pipeline.records import Article, decode
from pipeline.records.topics import Topics


@contextmanager
def overwritten(file: Path, text: str) -> Iterator[None]:
    """``file`` holds ``text`` meanwhile, and afterwards what it held."""
    held = file.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(held, encoding="utf-8")


class Process:
    """One command of ours, as a child process."""

    def __init__(
        self, settings: Settings, *arguments: str, folder: Path, module: str = "pipeline.cli.main", **env: str
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{arguments[0] if arguments else module}.out"
        self._begins = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                env={**os.environ, **environment(settings), "BRINKWATCH_LOG_FORMAT": "json", **env},
            )  # fmt: skip

    def kill(self) -> None:
        """As by kill -9."""
        self.child.kill()
        self.child.wait()

    def end(self, seconds: float = 40) -> int:
        """SIGTERM, and its exit code."""
        self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not end in {seconds} s: {self.said()}") from None

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def has_said(self, text: str) -> bool:
        """Whether that stands anywhere in its own log; what is told in passing soon leaves the end of it."""
        return text.encode() in self.log.read_bytes()[self._begins :]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.kill()


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until ``condition`` gives something true, and give that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


class Topic:
    """A committed view of a topic, read on demand from its beginning."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._consumer = consumer(settings, "look", isolation_level="read_committed", fetch_max_wait_ms=100)
        self._partitions = [TopicPartition(name, n) for n in self._consumer.partitions_for_topic(name)]
        self._consumer.assign(self._partitions)
        self._consumer.seek_to_beginning(*self._partitions)
        self.messages: list[Message] = []

    def look(self) -> list[Message]:
        """All messages up to the topic's end as of now, however fast it grows."""
        ends = self._consumer.end_offsets(self._partitions)
        while any(self._consumer.position(partition) < end for partition, end in ends.items()):
            self.messages += flat(self._consumer.poll(timeout_ms=100))
        return self.messages

    def wait(self, count: int, seconds: float = 60) -> list[Message]:
        """All messages so far, once there are at least ``count``."""
        wait_for(lambda: len(self.look()) >= count, seconds, f"{count} messages; there are {len(self.messages)}")
        return self.messages

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close(autocommit=False)


def articles_on(settings: Settings) -> list[Article]:
    """Every article on the topic of articles, heartbeats too; keys must be the ids."""
    topic = Topic(settings, Topics(settings.topic_prefix).articles.name)
    try:
        found = [(message.key, decode(message.value, Article)) for message in topic.look()]
    finally:
        topic.close()
    assert all(key == article.article_id.encode() for key, article in found)
    return [article for _, article in found]


def left_behind(marker: str) -> list[str]:
    """Command lines of processes whose environment or arguments hold ``marker``, but for this one's own children."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if process.pid != os.getpid() and (marker in " ".join(words) or marker in str(process.environ())):
                found.append(" ".join(words)[:200])
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found
