"""The whole service on one machine: broker, connectors, the jobs, notify and the drill, started and ended together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config import exposition
from config.endpoints import load_endpoints
from config.health import board
from config.receivers import load_receivers
from config.settings import PREFIX, SECRETS, Settings
from deploy.local.drill.server import Drill, write_feeds
from deploy.local.errors import PlatformError
from deploy.local.kafka import EmbeddedKafka, StartGivenUp
from deploy.local.prism import PrismNotFound, find_prism, on_loopback_only
from deploy.local.process import Port
from deploy.local.supervisor import CHILDREN, Supervisor, brinkwatch
from deploy.topics import apply_topics
from pipeline.records.topics import Topics

log = logging.getLogger(__name__)

Say = Callable[[str], None]
# More than the supervisor needs to end what it started: the commands together, then the broker.
JOIN_SECONDS = 60.0
# The supervision stands while the broker is started again.
PATIENCE_SECONDS = 180.0
NO_PRISM = "Prism, the runner, can't be had on this machine; `brinkwatch doctor` says how to get it."
ANYWHERE = "this Prism listens on every interface; with Go installed, one is built that does not: docs/security.md"
ELSEWHERE = (
    "starting failed: runner: flink: `up` runs all on this machine; start worker, extract and score: docs/flink.md"
)
TRYING_OUT = "running on FnApiRunner: this is for trying out only, it keeps all that it processed and its memory grows"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run.

    Attributes:
        settings: Of the installation; where Kafka is given, no broker is embedded.
        embedded: Whether to run a broker of our own.
        feeds: The list of feeds to poll, or ``none``; None for the configuration's.
        drill: Whether to play the drill.
    """

    settings: Settings
    embedded: bool
    feeds: str | None
    drill: bool


def environment(settings: Settings) -> dict[str, str]:
    """The settings as variables for a child; secrets reach it in the environment it inherits, never by us."""
    values = {name: getattr(settings, name) for name in Settings.model_fields if name not in SECRETS}
    return {PREFIX + name.upper(): str(value) for name, value in values.items() if value is not None}


def choose_runner(settings: Settings, say: Say) -> Settings:
    """Settings with the runner named and found, so that no child has to look for it or build it again.

    Raises:
        BrinkwatchError: The runner can't be had, or is one that does not run here.
    """
    if settings.runner == "flink":
        raise PlatformError(ELSEWHERE)
    if settings.runner == "fnapi":
        say(TRYING_OUT)
        return settings
    try:
        prism = find_prism(settings, say)
    except PrismNotFound:
        if settings.runner == "prism":
            raise
        say(NO_PRISM)
        say(TRYING_OUT)
        return settings.model_copy(update={"runner": "fnapi"})
    if not on_loopback_only(prism):
        say(f"{prism}: {ANYWHERE}")
    return settings.model_copy(update={"runner": "prism", "prism": prism})


def check_ports(settings: Settings) -> None:
    """That the children's ports are free, before a child fails for it again and again.

    Raises:
        PlatformError: One is taken; it names which.
    """
    pushed = (settings.websub_port,) if settings.websub_callback_url else ()
    for number in (*metrics_ports(settings), *pushed):
        Port(number).release()


def metrics_ports(settings: Settings) -> tuple[int, ...]:
    """Where our and the children's metrics are; notify's only where it runs, which is where receivers are configured.

    Raises:
        ConfigError: With the faults of the receivers, a missing secret too: not by a child that fails again and again.
    """
    ports = [settings.up_metrics_port, settings.connect_metrics_port, settings.extract_metrics_port]
    ports += [settings.score_metrics_port, settings.monitor_metrics_port]
    if load_endpoints(settings.receivers_file):
        ports.append(settings.notify_metrics_port)
    return tuple(port for port in ports if port)


class Installation:
    """The running service. Start it from the main thread; ``stop`` ends all that it started."""

    def __init__(self, plan: Plan, say: Say) -> None:
        self._plan, self._say = plan, say
        self.settings = plan.settings
        self._supervisor = Supervisor(plan.settings.data_dir)
        self._asked = self._stop = threading.Event()
        self._drill = Drill()
        self._jars_here = 0
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    def start(self, stop: threading.Event) -> None:
        """Start everything, in the order in which each needs the other; give up where ``stop`` is set meanwhile.

        Args:
            stop: Set by who wants the end; and by us where the supervision fails, which ``check`` then tells.

        Raises:
            BrinkwatchError: Something can't be had or started; what was started is ended again.
        """
        self._asked = stop
        try:
            check_ports(self.settings)
            board.begin("up", CHILDREN, patience_s=PATIENCE_SECONDS)
            exposition.serve(self.settings, self.settings.up_metrics_port)
            for step in (self._choose_runner, self._start_broker, self._start_children):
                if stop.is_set():
                    return
                step()
        except StartGivenUp:
            return
        except BaseException:
            self.stop()
            raise
        self._thread = threading.Thread(target=self._supervise, args=(stop,), name="supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End everything, in reverse order; bounded in time. Repeatable.

        The children have one owner at a time: once the supervision runs, only its thread ends them. Where that thread
        hangs nobody else touches them; the kernel or their guards kill them as this process ends.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)
        if self._thread is None or not self._thread.is_alive():
            self._supervisor.stop()
        else:
            self._failure = self._failure or TimeoutError("not ended in time; what still runs ends with this process")
        self._drill.end()

    def check(self) -> None:
        """That the supervision ended as it should: because of ``stop``, and in time.

        Raises:
            PlatformError: It did not; with the reason.
        """
        if self._failure is not None:
            raise PlatformError(f"supervision failed: {self.settings.data_dir}: {self._failure!r}") from self._failure

    def _supervise(self, stop: threading.Event) -> None:
        """Keep the children running; a failure ends the whole service, which without them would only look alive."""
        try:
            self._supervisor.run(self._stop)
        except Exception as error:
            self._failure = error
            log.exception("supervision failed")
            stop.set()

    def _choose_runner(self) -> None:
        self.settings = choose_runner(self.settings, self._say)

    def _start_broker(self) -> None:
        if self._plan.embedded:
            self._say("starting Kafka")
            kafka = EmbeddedKafka(
                self.settings.data_dir,
                self.settings.cache_dir,
                java_home=self.settings.java_home,
                progress=self._jars,
                give_up=self._ending,
            )
            kafka.start()
            self._supervisor.add_service("kafka", kafka)
            self.settings = self.settings.model_copy(
                update={"bootstrap_servers": kafka.bootstrap_servers, "security_protocol": "PLAINTEXT"}
            )
        applied = apply_topics(self.settings, Topics(self.settings.topic_prefix))
        for difference in applied.differences:
            self._say(f"topic differs from its declaration, left as it is: {difference}")

    def _start_children(self) -> None:
        child_environment = environment(self.settings)
        notified = ("notify",) if load_receivers(self.settings.receivers_file) else ()
        for name in (*notified, "monitor", "score", "extract"):
            self._say(f"starting {name}")
            self._supervisor.add(name, brinkwatch(name), self._keeping_its_place(name, child_environment))
        lists = [self._plan.feeds or str(self.settings.feeds_file)]
        if self._plan.drill:
            lists.append(str(self._begin_drill()))
        options = [word for file in lists for word in ("--feeds", file)]
        self._supervisor.add("connect", brinkwatch("connect", *options), child_environment)
        self._supervisor.step()

    def _keeping_its_place(self, name: str, variables: dict[str, str]) -> dict[str, str]:
        """On a broker of our own nobody stands by for score: after a kill it need not wait for its session to end."""
        if name == "score" and self._plan.embedded and self.settings.score_instance is None:
            return {**variables, PREFIX + "SCORE_INSTANCE": "local"}
        return variables

    def _begin_drill(self) -> Path:
        """Serve the drill's feeds from now on; the list of them."""
        self._say("playing the drill: a crisis between the invented states Karvenia and Belmora")
        self._drill.begin()
        listing = self.settings.data_dir / "run" / "drill.yaml"
        write_feeds(self._drill.port, listing)
        return listing

    def _ending(self) -> bool:
        """Whether the end was asked for, here or by who started us."""
        return self._stop.is_set() or self._asked.is_set()

    def _jars(self, done: int, total: int) -> None:
        if self._ending():
            raise StartGivenUp(f"fetching Kafka was given up: {done} of {total} files: the end was asked for")
        if done % 15 == 0 and done != self._jars_here:
            self._say(f"fetching Kafka: {done} of {total} files")
        self._jars_here = done
