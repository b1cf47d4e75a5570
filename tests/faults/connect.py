"""Connect alone under faults: ``python -m tests.faults.connect --kills 20``.

Feeds publish all the while; then every entry must be on ``articles``, and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
from brokers import Broker
from service import Process, Topic, wait_for

from config.settings import Settings, load_settings
from deploy.local.kafka import EmbeddedKafka
from pipeline.records.topics import Topics
from tests.faults.disk import CantMountError, SmallDisk
from tests.faults.press import Press

FEEDS = 40
RATE = 20.0
INTERVAL = "1s"
AWAY_S = 60.0
FULL_S = 15.0
DISK_MB = 24
SETTLE_S = 120.0
EARLY_SHARE = 0.2
MORE = 2000
LARGE = 400
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is on the topic, held against what was published."""

    published: int
    lost: int
    foreign: int
    copies: int

    @property
    def kept(self) -> bool:
        """Whether everything is there, and nothing else."""
        return not (self.lost or self.foreign)


class Trial:
    """Feeds, and a connect that is started again whenever it ends; a context manager.

    Attributes:
        press: The feeds.
        codes: How those ended that were not killed.
    """

    def __init__(self, settings: Settings, folder: Path, press: Press) -> None:
        self._settings = settings.model_copy(update={"connect_metrics_port": 0})
        self._folder, self.press = folder, press
        folder.mkdir(parents=True, exist_ok=True)
        self._listing = folder / "feeds.yaml"
        self._listing.write_text(press.config(INTERVAL), encoding="utf-8")
        self._process: Process | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self.codes: list[int] = []

    @property
    def state(self) -> Path:
        """The file of connect's state."""
        return self._settings.data_dir / "connectors" / "state.sqlite"

    def __enter__(self) -> Self:
        self._start()
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._keeper.join()
        if self._process is not None and self._process.child.poll() is None:
            self._process.kill()
        self.press.end()

    def kill(self, then: Callable[[], None] = lambda: None) -> None:
        """Kill -9, then this, before it is started again."""
        with self._lock:
            assert self._process
            self._process.kill()
            then()
            self._start()

    def works(self, more: int = FEEDS) -> None:
        """Wait until it has asked so often again."""
        asked = len(self.press.asked)
        wait_for(lambda: len(self.press.asked) >= asked + more, 90, f"polls: {self.said()}")

    def said(self) -> str:
        """All that it has logged."""
        return (self._folder / "connect.out").read_text(encoding="utf-8", errors="replace")

    def memory_mb(self) -> float:
        """Resident memory of connect itself; 0 while there is none."""
        try:
            assert self._process
            return psutil.Process(self._process.child.pid).memory_info().rss / 1e6
        except psutil.Error:
            return 0.0

    def settle(self) -> Verdict:
        """No more news; wait until all that there was has arrived, and hold it against what is on the topic."""
        self.press.stop()
        published = self.press.ids()
        topic = Topic(self._settings, Topics(self._settings.topic_prefix).articles.name)
        try:
            deadline = time.monotonic() + SETTLE_S
            found = self._found(topic)
            while not published <= set(found) and time.monotonic() < deadline:
                time.sleep(0.5)
                found = self._found(topic)
        finally:
            topic.close()
        there = set(found)
        return Verdict(len(published), len(published - there), len(there - published), len(found) - len(there))

    def _found(self, topic: Topic) -> list[str]:
        return [(message.key or b"").decode() for message in topic.look()]

    def _start(self) -> None:
        self._process = Process(self._settings, "connect", "--feeds", str(self._listing), folder=self._folder)

    def _keep(self) -> None:
        while not self._over.wait(0.5):
            with self._lock:
                if self._process is not None and (code := self._process.child.poll()) is not None:
                    self.codes.append(code)
                    self._start()


def kills(trial: Trial, number: int, dice: random.Random, say: Say = lambda _: None) -> None:
    """Kill it so often; four times of five when it has worked, else wherever it stands."""
    for count in range(1, number + 1):
        if dice.random() >= EARLY_SHARE:
            trial.works()
        time.sleep(dice.uniform(0.0, 2.0))
        trial.kill()
        say(f"kill {count} of {number}")


def scramble(path: Path, dice: random.Random) -> None:
    """Random bytes in the middle of a file."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 3)
        file.write(dice.randbytes(max(size // 3, 1)))


def halve(path: Path, _: random.Random) -> None:
    """Cut a file in two, and lose its end."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


DAMAGES = {"scrambled": (scramble, ""), "cut off": (halve, ""), "log scrambled": (scramble, "-wal")}
"""What is done to which of the files of the state."""


def damage(trial: Trial, kind: str, dice: random.Random) -> None:
    """Kill it, damage its state, and have it work again. There is enough in it that damage can't miss everything."""
    harm, side = DAMAGES[kind]
    trial.press.publish(MORE)
    trial.works(3 * FEEDS)

    def strike() -> None:
        if not side:
            _checkpoint(trial.state)  # else all that counts may stand in the log
        harm(Path(f"{trial.state}{side}"), dice)

    trial.kill(strike)
    trial.works()


def _checkpoint(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def fill(trial: Trial, disk: SmallDisk, seconds: float) -> None:
    """Leave no room on the disk of the state for a while: connect must say so, and go on when there is room."""
    trial.works()
    ended = len(trial.codes)
    disk.fill(left=0)
    wait_for(lambda: len(trial.codes) > ended, 60, f"connect to end for lack of room: {trial.said()[-2000:]}")
    time.sleep(seconds)
    disk.clear()
    trial.works()


def away(trial: Trial, kafka: EmbeddedKafka, seconds: float, burst: int = 0) -> tuple[float, float]:
    """Kill the broker, and start it again after a time: connect's memory before, and the most meanwhile, in MB."""
    trial.works()
    before = most = trial.memory_mb()
    kafka.kill()
    trial.press.publish(burst)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.2)
        most = max(most, trial.memory_mb())
    kafka.start()
    trial.works()
    return before, max(most, trial.memory_mb())


@contextmanager
def alone(folder: Path) -> Iterator[Broker]:
    """A broker for a whole run."""
    with EmbeddedKafka(folder / "broker", load_settings().cache_dir) as kafka:
        yield Broker(kafka, folder)


def whole(folder: Path, number: int, seed: int, say: Say) -> dict[str, Any]:
    """Everything, one after the other; what was found, by trial."""
    dice, found = random.Random(seed), dict[str, Any]()

    def told(name: str, trial: Trial, **more: Any) -> None:
        found[name] = trial.settle(), more
        say(f"{name}: {found[name]}")

    with alone(folder) as broker:
        with Trial(broker.settings("kills"), folder / "kills", _begun(Press(FEEDS, RATE))) as trial:
            kills(trial, number, dice, say)
            told(f"{number} kills", trial, ended=trial.codes)
        for kind in DAMAGES:
            name = f"state {kind}"
            folders = folder / kind.replace(" ", "-")
            with Trial(broker.settings("damage"), folders, _begun(Press(FEEDS, RATE))) as trial:
                damage(trial, kind, dice)
                told(name, trial, told=trial.said().count("damaged and was moved to"), ended=trial.codes)
        with Trial(broker.settings("away"), folder / "away", _begun(Press(FEEDS, RATE))) as trial:
            memory = away(trial, broker.kafka, AWAY_S)
            told("broker away", trial, memory_mb=memory, ended=trial.codes)
        # Feeds of half a megabyte and of a host each, all of which change while nothing can be sent.
        large = Press(LARGE, RATE, more=("ferry " * 8_000), shown=10, apart=True)
        with Trial(broker.settings("large"), folder / "large", large) as trial:
            large.publish(LARGE)
            trial.works(2 * LARGE)
            memory = away(trial, broker.kafka, AWAY_S, burst=9 * LARGE)
            told("broker away, large feeds", trial, memory_mb=memory, ended=trial.codes)
        try:
            told_disk(broker, folder, told)
        except CantMountError as error:
            say(f"left out: {error}")
    return found


def told_disk(broker: Broker, folder: Path, told: Callable[..., None]) -> None:
    """The disk of the state is full for a while.

    Raises:
        CantMountError: There is none that could be.
    """
    settings = broker.settings("disk")
    with (
        SmallDisk(settings.data_dir / "connectors", DISK_MB) as disk,
        Trial(settings, folder / "disk", _begun(Press(FEEDS, RATE))) as trial,
    ):
        fill(trial, disk, FULL_S)
        told("disk full", trial, ended=trial.codes)


def _begun(press: Press) -> Press:
    press.begin()
    return press


def main() -> int:
    """Run it, and say what was found; 0 where nothing was lost and nothing foreign came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="brinkwatch-connect-") as folder:
        found = whole(Path(folder), options.kills, options.seed, say)
    return 0 if all(verdict.kept for verdict, _ in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
