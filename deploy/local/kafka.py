"""The embedded broker: one real Apache Kafka node on loopback, as a child that never outlives us."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import shutil
import subprocess
import time
import uuid
from typing import IO, TYPE_CHECKING, Any, Self

from deploy.local import jars
from deploy.local.errors import PlatformError
from deploy.local.java import find_java
from deploy.local.kafka_config import environment, java_command, properties
from deploy.local.process import LOOPBACK, Port, end, kill_group, listens, spawn, tail_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from deploy.local.kafka_security import Security

START_SECONDS = 90.0
STOP_SECONDS = 20.0
FORMAT_SECONDS = 60.0
# Less than a log segment's batch of the largest message takes: what is written next finds no room.
FULL_BYTES = 16 * 1024 * 1024
# A broker that died with its parent holds the lock for a moment longer.
LOCK_SECONDS = 3.0


class KafkaError(PlatformError):
    """The embedded broker can't be started or kept running."""


class StartGivenUp(KafkaError):  # noqa: N818  # nothing failed
    """The start was given up because the end was asked for meanwhile; nothing of it is left."""


class EmbeddedKafka:
    """One Kafka node (KRaft) whose data survives in ``<data_dir>/kafka``; a context manager.

    A folder serves one broker at a time: a lock is held while this object *or* its broker lives, and the kernel lets it
    go when both are gone, so there is never a stale one. The ports are kept in the folder and used again.

    Start it from the main thread: then, on Linux, the kernel itself ends it with us.
    """

    def __init__(
        self,
        data_dir: Path,
        cache_dir: Path,
        *,
        java_home: Path | None = None,
        port: int | None = None,
        progress: jars.Progress | None = None,
        start_seconds: float = START_SECONDS,
        give_up: Callable[[], bool] = lambda: False,
        security: Security | None = None,
    ) -> None:
        """Nothing starts yet.

        Args:
            data_dir: The installation's data folder.
            cache_dir: The user's cache, where the jars are.
            java_home: A Java to use instead of the one found.
            port: Where clients connect; None for the folder's own port.
            progress: Told as missing jars arrive.
            start_seconds: How long a start may take until the broker answers.
            give_up: Asked while a start waits; a start is ended once it says yes.
            security: TLS, users and access lists; a folder keeps what it was first started with.
        """
        self.home = (data_dir / "kafka").absolute()
        self.port = port
        self._cache_dir, self._java_home = cache_dir, java_home
        self._progress, self._start_seconds = progress, start_seconds
        self._give_up = give_up
        self._security = security
        self._lock: IO[str] | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect, ``host:port``.

        Raises:
            KafkaError: Before the first start, when the port is not known yet.
        """
        if self.port is None:
            raise KafkaError(f"broker has no address: {self.home}: it was not started yet")
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id of the broker (or of its guard, where the system needs one); None if it does not run."""
        return self._child.pid if self._child and self._child.poll() is None else None

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.pid is not None

    @property
    def log_file(self) -> Path:
        """The broker's own log."""
        return self.home / "logs" / "broker.log"

    def start(self) -> Self:
        """Start it and wait until it answers; again after ``stop``, ``kill`` or its death, on the same port.

        Raises:
            KafkaError: If another broker has the folder, or this one ends or stays silent; with the end of its log.
            StartGivenUp: If ``give_up`` said yes before the broker answered.
            PlatformError: If the jars, Java or a port can't be had.
        """
        if self.running:
            return self
        try:
            self._take_lock()
            classpath = jars.ensure(self._cache_dir, self._progress)
            self._launch(find_java(self._java_home).path, classpath)
        except BaseException as error:
            self.kill()
            self._release_lock()
            if isinstance(error, OSError):
                raise KafkaError(f"broker can't be started: {self.home}: {error}") from error
            raise
        return self

    def stop(self) -> None:
        """End it cleanly (SIGTERM, then SIGKILL after a while) and let go of the folder."""
        if self._child is not None and self.running:
            end(self._child, STOP_SECONDS)
        self._child = None
        self._release_lock()

    def kill(self) -> None:
        """SIGKILL, as a fault would: nothing is flushed. The folder stays ours for the next ``start``."""
        if self._child is not None and self.running:
            kill_group(self._child)
        self._child = None

    def last_words(self) -> str:
        """How it ended, with the end of its logs."""
        code = None if self._child is None else self._child.poll()
        return f"exit code {code}; {self._said()}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self, java: Path, classpath: str) -> None:
        _clean_folder(self.home / "tmp")
        (self.home / "logs").mkdir(exist_ok=True)
        with self._take_port() as port, _free_port(self.home / "controller.port") as controller:
            config = self.home / "server.properties"
            cluster = self._formatted(java, classpath, port.number, controller.number)
            self._write_properties(config, self.home / "data", port.number, controller.number)
            command = java_command(java, classpath, self.home, "kafka.Kafka", str(config))
            self.port = port.hand_over()
            controller.hand_over()
            self._child = self._spawn(command, "console.log")
            self._wait_ready(cluster)

    def _take_port(self) -> Port:
        """Ours from before, and no other, once clients know it; at first start the folder's own, if it is free."""
        if self.port is not None:
            return Port(self.port)
        return _free_port(self.home / "port")

    def _spawn(self, command: list[str], log: str) -> subprocess.Popen[bytes]:
        assert self._lock is not None  # noqa: S101  # start() took it
        with (self.home / "logs" / log).open("wb") as output:
            return spawn(command, output, env=environment(os.environ), cwd=self.home, pass_fds=(self._lock.fileno(),))

    def _formatted(self, java: Path, classpath: str, port: int, controller_port: int) -> str:
        """The cluster id of the folder, which is formatted first if it is new.

        Formatting happens beside and is then renamed, so a kill in between leaves nothing half done.
        """
        data, part = self.home / "data", self.home / "data.part"
        if not data.exists():
            _clean_folder(part)
            config = self.home / "format.properties"
            self._write_properties(config, part, port, controller_port)
            users = self._security.format_options() if self._security else ()
            arguments = ("format", "-t", _new_cluster_id(), "-c", str(config), *users)
            child = self._spawn(
                java_command(java, classpath, self.home, "kafka.tools.StorageTool", *arguments), "format.log"
            )
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(FORMAT_SECONDS)
            if kill_group(child) != 0:
                raise KafkaError(
                    f"broker's folder can't be formatted: {data}: {tail_of(self.home / 'logs' / 'format.log')}"
                )
            part.rename(data)
        return _cluster_id(data / "meta.properties")

    def _write_properties(self, file: Path, data: Path, port: int, controller_port: int) -> None:
        """For our eyes only from the first byte on: with security, passwords stand in it."""
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:
            opened.write(properties(data, port, controller_port, self._security))

    def _wait_ready(self, cluster: str) -> None:
        assert self._child is not None  # noqa: S101  # _launch set it
        deadline = time.monotonic() + self._start_seconds
        while self._child.poll() is None:
            if self._give_up():
                raise StartGivenUp(f"broker's start was given up: {self.home}: the end was asked for")
            # A client made while nothing listens leaves a thread and four open files behind, for ever.
            if self.port is not None and listens(self.port) and self._answers() == cluster:
                return
            if time.monotonic() > deadline:
                raise KafkaError(f"broker does not answer: {self.bootstrap_servers}: {self._said()}")
            time.sleep(0.05)
        raise KafkaError(f"broker ended (exit code {self._child.returncode}): {self.home}: {self._said()}")

    def _answers(self) -> str | None:
        return _answering_cluster(self.bootstrap_servers, self._security.client_options() if self._security else {})

    def _said(self) -> str:
        console = tail_of(self.home / "logs" / "console.log", 1000)
        return f"{_room(self.home)}see {self.log_file}: {tail_of(self.log_file, 1500)} {console}".strip()

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            lock = (self.home / "lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise KafkaError(f"broker's folder can't be used: {self.home}: {error}") from error
        deadline = time.monotonic() + LOCK_SECONDS
        while not _try_lock(lock):
            if time.monotonic() > deadline:
                lock.seek(0)
                holder = lock.read(100).strip()
                lock.close()
                raise KafkaError(
                    f"broker's folder is in use: {self.home}: by process {holder or 'unknown'}; stop that one first"
                )
            time.sleep(0.05)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _room(folder: Path) -> str:
    """That the disk is full, where it is: the broker's own log is on it, and can't say so then."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"{folder} can't be looked at: {error}; "
    return f"its disk is full, {free} bytes are left; " if free < FULL_BYTES else ""


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free_port(file: Path) -> Port:
    """The port that ``file`` remembers, or another if that one is taken; remembered."""
    try:
        port = Port(int(file.read_text(encoding="ascii")))
    except (OSError, ValueError, OverflowError, PlatformError):
        port = Port()
        file.write_text(str(port.number), encoding="ascii")
    return port


def _clean_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _new_cluster_id() -> str:
    """A random id in Kafka's form: 16 bytes, base64 for URLs, which must not begin with a dash."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


def _cluster_id(meta: Path) -> str:
    """The cluster id that the folder was formatted with.

    Raises:
        KafkaError: If the folder does not say.
    """
    try:
        lines = meta.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise KafkaError(f"broker's folder can't be used: {meta}: {error}") from error
    for line in lines:
        if line.startswith("cluster.id="):
            return line.removeprefix("cluster.id=").replace("\\", "")
    raise KafkaError(f"broker's folder can't be used: {meta}: no cluster.id in it")


def _answering_cluster(bootstrap_servers: str, options: Mapping[str, Any]) -> str | None:
    """The id of the cluster that answers a metadata request there with a live broker; None if none does."""
    from kafka import KafkaAdminClient

    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap_servers, bootstrap_timeout_ms=1000, request_timeout_ms=2000, **options
        )
    except Exception:  # noqa: BLE001  # whatever kafka-python makes of a broker that is not up yet
        return None
    try:
        described = admin.describe_cluster()
        return str(described["cluster_id"]) if described["brokers"] else None
    except Exception:  # noqa: BLE001  # likewise
        return None
    finally:
        admin.close()
