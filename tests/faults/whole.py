"""The whole service as it is run on one machine, for its alerts: ``brinkwatch up``, and beside it notify."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import psutil
from hookserver import HookServer, Play
from loopback import LOOPBACK
from notified import HOOK, SECRET
from service import Process, wait_for

from config.settings import PACKAGED, Settings, load_settings
from deploy.local.prism import find_prism
from deploy.local.process import GUARD, Port
from deploy.topics import apply_topics
from pipeline.records.topics import Topics
from tests.faults.disk import CantMountError, SmallDisk
from tests.faults.wire import Wires

SERVED = ("up", "connect", "extract", "score", "notify", "monitor")
UP_S, END_S = 170.0, 70.0
DISK_MB = 1500
"""Of the broker's disk: somewhat more than the gigabyte below which it counts as almost full."""


class Whole:
    """The service with its feeds and receivers; a context manager that ends it all. Start it in the main thread."""

    def __init__(self, folder: Path) -> None:
        """Nothing starts yet; everything is kept in ``folder``."""
        self._folder = folder
        self._stack = ExitStack()
        self.wires = Wires()
        self.desk, self.strict = HookServer(), HookServer()
        self.disk: SmallDisk | None = None
        self.no_disk = ""
        self.ports: dict[str, int] = {}
        self.second_score_port = 0
        self.notify: Process

    @property
    def feeds_file(self) -> Path:
        """The list of feeds that connect reads when it starts."""
        return self._folder / "feeds.yaml"

    def child(self, *words: str, of: psutil.Process | None = None) -> psutil.Process:
        """The process below ``up``, or below ``of``, whose command line ends with ``words``.

        Raises:
            LookupError: There is none now.
        """
        for each in (of or psutil.Process(self._up.child.pid)).children(recursive=True):
            with suppress(psutil.Error):
                line = each.cmdline()
                # A guard, which some children have, ends with the same words.
                if tuple(line[-len(words) :]) == words and str(GUARD) not in line:
                    return each
        raise LookupError(f"there is no process {' '.join(words)}")

    def role(self, name: str) -> psutil.Process:
        """The process of a role."""
        options = ("--feeds", str(self.feeds_file)) if name == "connect" else ()
        return self.child("pipeline.cli.main", name, *options)

    def named(self, name: str, of: psutil.Process | None = None) -> psutil.Process:
        """The process below ``up``, or below ``of``, of that program: ``java`` is the broker, ``prism`` a runner."""
        for each in (of or psutil.Process(self._up.child.pid)).children(recursive=True):
            with suppress(psutil.Error):
                if each.name() == name:
                    return each
        raise LookupError(f"there is no process {name}")

    def keep(self, what: AbstractContextManager[object]) -> None:
        """Begin it now, and end it with the service."""
        self._stack.enter_context(what)

    def start_notify(self) -> None:
        """Notify, under no supervisor."""
        self.notify = Process(
            self.settings.model_copy(update={"config_dir": self._folder / "told"}),
            "notify",
            folder=self._folder,
            HOOK_SECRET=SECRET,
        )

    @contextmanager
    def another_score(self, name: str, port: int = 0, **changes: Any) -> Iterator[Process]:
        """A second score, with settings of its own; its rules stay whole when those of the service are broken."""
        own = {"score_metrics_port": port, "config_dir": self._folder / "told"}
        settings = self.settings.model_copy(update={**own, **changes})
        apply_topics(settings, Topics(settings.topic_prefix))
        with Process(settings, "score", folder=self._folder / name) as process:
            yield process
            process.end()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        for each in (self.wires, self.desk, self.strict):
            self._stack.enter_context(each)
        data = self._folder / "data"
        disk = SmallDisk(data / "kafka", DISK_MB)
        try:
            self.disk = self._stack.enter_context(disk)
        except CantMountError as error:
            self.no_disk = str(error)
        self._configure()
        self.settings = self._settings(data)
        words = ("up", "--plain", "--no-drill", "--feeds", str(self.feeds_file))
        # An address that is not given: then `up` has a broker of its own.
        self._up = Process(self.settings, *words, folder=self._folder, BRINKWATCH_BOOTSTRAP_SERVERS="")
        self._stack.callback(self._end)
        wait_for(lambda: "up: Kafka" in self._up.said() or self._up.child.poll() is not None, UP_S, "the service")
        assert self._up.child.poll() is None, self._up.said()
        port = (data / "kafka" / "port").read_text(encoding="ascii")
        self.settings = self.settings.model_copy(update={"bootstrap_servers": f"127.0.0.1:{port}"})
        self.start_notify()
        self._stack.callback(self._end_notify)

    def _configure(self) -> None:
        for name in ("config", "told"):
            shutil.copytree(PACKAGED, self._folder / name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        self.feeds_file.write_text(self.wires.config(), encoding="utf-8")
        hooks = (("desk", self.desk), ("strict", self.strict))
        listed = (
            HOOK.format(name=name, url=hook.url, timeout="5s", start_at="latest", deadline="1h", more="concurrency: 8")
            for name, hook in hooks
        )
        (self._folder / "told" / "receivers.yaml").write_text("receivers:" + "".join(listed), encoding="utf-8")

    def _settings(self, data: Path) -> Settings:
        with ExitStack() as taken:
            numbers = [taken.enter_context(Port()).number for _ in (*SERVED, "second score")]
        self.ports = dict(zip(SERVED, numbers, strict=False))
        self.second_score_port = numbers[-1]
        return load_settings(
            config_dir=self._folder / "config", data_dir=data, runner="prism", prism=find_prism(load_settings(), print),
            heartbeat_interval_s=1, log_format="json", contact="alarms@desk.example", fetch_allow_networks=LOOPBACK,
            **{f"{name}_metrics_port": port for name, port in self.ports.items()},
        )  # fmt: skip

    def _end_notify(self) -> None:
        """Whichever runs by then."""
        self.notify.kill()

    def _end(self) -> None:
        """SIGTERM, and patience: ``up`` ends its children, and what was left standing still is gone on with."""
        if self._up.child.poll() is None:
            for each in psutil.Process(self._up.child.pid).children(recursive=True):
                with suppress(psutil.Error):
                    each.send_signal(signal.SIGCONT)
            self._up.end(END_S)


@contextmanager
def standing_still(*processes: psutil.Process) -> Iterator[None]:
    """SIGSTOP for a while: they are there, and answer nobody."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.Error):
                process.resume()


@contextmanager
def again_and_again(work: Any, pause_s: float) -> Iterator[None]:
    """Do ``work`` with pauses, in a thread of its own; that there is no such process just now does not matter."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.wait(pause_s):
            with suppress(LookupError, psutil.Error, OSError):
                work()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


OK, NOT_NOW, NEVER = Play(), Play(status=503), Play(status=400)
