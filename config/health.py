"""Health: what a process last noted of itself, and what that comes to.

    process ─▶ Board ─▶ Snapshot ─▶ live, ready ─▶ /livez, /readyz, brinkwatch_ready

A board takes notes from any thread; what they mean is decided by pure functions over a frozen snapshot.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

KAFKA_FRESH_S = 20.0
"""How long ago the broker may have answered: clients ask it for the topics every five seconds."""
LOOP_PATIENCE_S = 60.0
KAFKA, LOOP, RUNNER = "kafka", "loop", "runner"


@dataclass(frozen=True, slots=True)
class Check:
    """Whether one thing is as it must be; ``why`` says in words what is not, or how it is well."""

    ok: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a process last noted of itself.

    Attributes:
        process: Its name.
        still_s: Seconds since its main loop turned.
        patience_s: Seconds that a turn may take.
        needs: What it can't do its work without, in the order in which it is told.
        noted: The last note of each thing.
        kafka_s: Seconds since the broker answered; None where it never did.
        active: Whether it is the active one, of a job that has one that is; None for others.
        refused: Why the broker that was there does not let us in any more; empty where it does, or is away.
    """

    process: str
    still_s: float = 0.0
    patience_s: float = LOOP_PATIENCE_S
    needs: tuple[str, ...] = ()
    noted: Mapping[str, Check] = field(default_factory=dict)
    kafka_s: float | None = None
    active: bool | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """What a snapshot comes to: well if every check is."""

    process: str
    checks: Mapping[str, Check]
    active: bool | None = None

    @property
    def ok(self) -> bool:
        """Whether every check is well."""
        return all(check.ok for check in self.checks.values())

    def as_json(self) -> dict[str, Any]:
        """``{"process", "ok", "checks": {name: {"ok", "why"}}, "active"}``; what says nothing is left out."""
        checks = {
            name: {"ok": check.ok, **({"why": check.why} if check.why else {})} for name, check in self.checks.items()
        }
        told: dict[str, Any] = {"process": self.process, "ok": self.ok, "checks": checks}
        return told if self.active is None else {**told, "active": self.active}


def live(seen: Snapshot) -> Health:
    """Whether the process works at all; where not, only a new start helps. Kafka's absence is no reason for one."""
    checks = {LOOP: _loop(seen)}
    if RUNNER in seen.needs and RUNNER in seen.noted:
        checks[RUNNER] = seen.noted[RUNNER]
    return Health(seen.process, checks, seen.active)


def ready(seen: Snapshot) -> Health:
    """Whether the process can do its work now."""
    checks = {LOOP: _loop(seen), **{name: _needed(seen, name) for name in seen.needs}}
    return Health(seen.process, checks, seen.active)


def kafka_up(seen: Snapshot) -> bool:
    """Whether the broker answers the process."""
    return _kafka(seen).ok


def _loop(seen: Snapshot) -> Check:
    if seen.still_s <= seen.patience_s:
        return Check(ok=True)
    return Check(ok=False, why=f"the main loop has not turned for {seen.still_s:.0f} s, at most {seen.patience_s:g}")


def _needed(seen: Snapshot, name: str) -> Check:
    if name == KAFKA:
        return _kafka(seen)
    return seen.noted.get(name, Check(ok=False, why="not yet"))


def _kafka(seen: Snapshot) -> Check:
    if seen.kafka_s is None:
        return Check(ok=False, why="no broker has answered yet")
    if seen.kafka_s > KAFKA_FRESH_S:
        refused = f": {seen.refused}" if seen.refused else ""
        return Check(ok=False, why=f"no broker has answered for {seen.kafka_s:.0f} s{refused}")
    return Check(ok=True)


class Board:
    """Where a process notes how it is. Safe to use from any thread; what a probe raises counts as its answer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._process, self._patience_s = "brinkwatch", LOOP_PATIENCE_S
        self._needs: tuple[str, ...] = ()
        self._turned = clock()
        self._noted: dict[str, Check] = {}
        self._probes: dict[str, Callable[[], Check]] = {}
        self._kafka: Callable[[], float | None] = lambda: None
        self._active: bool | None = None
        self._refused = ""

    def begin(self, process: str, *needs: str, patience_s: float = LOOP_PATIENCE_S) -> None:
        """Begin anew, as ``process``, which can't work without ``needs``."""
        with self._lock:
            self._process, self._needs, self._patience_s = process, needs, patience_s
            self._turned, self._active = self._clock(), None
            self._noted, self._probes, self._kafka = {}, {}, lambda: None
            self._refused = ""

    def need(self, *names: str) -> None:
        """From now on it can't work without these either."""
        with self._lock:
            self._needs += tuple(name for name in names if name not in self._needs)

    def turn(self) -> None:
        """The main loop has turned."""
        self._turned = self._clock()

    def note(self, name: str, ok: bool, why: str = "") -> None:
        """How one thing is, from now on."""
        with self._lock:
            self._noted[name] = Check(ok, why)

    def watch(self, name: str, probe: Callable[[], Check]) -> None:
        """Have ``probe`` asked how one thing is, whenever somebody looks; it must answer at once."""
        with self._lock:
            self._probes[name] = probe

    def watch_kafka(self, age_s: Callable[[], float | None]) -> None:
        """Have ``age_s`` asked how long ago the broker answered; None where it never did."""
        with self._lock:
            self._kafka = age_s

    def set_active(self, active: bool) -> None:
        """Whether it is the active one."""
        self._active = active

    def set_refused(self, why: str) -> None:
        """Why the broker does not let us in any more; empty where it does."""
        self._refused = why

    def snapshot(self) -> Snapshot:
        """How it is now."""
        with self._lock:
            probes, noted, kafka = dict(self._probes), dict(self._noted), self._kafka
            process, needs, patience_s, active = self._process, self._needs, self._patience_s, self._active
        asked = {name: _asked(probe) for name, probe in probes.items()}
        still_s = self._clock() - self._turned
        return Snapshot(process, still_s, patience_s, needs, {**noted, **asked}, _age(kafka), active, self._refused)


def _asked(probe: Callable[[], Check]) -> Check:
    try:
        return probe()
    except Exception as error:  # noqa: BLE001  # whoever asks must get an answer, whatever the asked one has come to
        return Check(ok=False, why=repr(error)[:300])


def _age(kafka: Callable[[], float | None]) -> float | None:
    try:
        return kafka()
    except Exception:  # noqa: BLE001  # as above: a client that is being closed has no answer
        return None


board = Board()
"""This process's."""
