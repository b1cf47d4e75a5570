"""Prism's binary: where it is, whether it is the right one, and getting it where it is missing."""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local.errors import PlatformError
from deploy.local.prism_build import TAG, VERSION
from deploy.local.process import kill_group, spawn, tail_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.settings import Settings

log = logging.getLogger(__name__)

PACKAGE = "github.com/apache/beam/sdks/v2/go/cmd/prism"
DOWNLOAD_SECONDS = 180.0
BUILD_SECONDS = 900.0
_MARK = b"path\t" + PACKAGE.encode()
_TAGS = b"build\t-tags=" + TAG.encode() + b"\n"
_MODULE = re.compile(rb"mod\tgithub\.com/apache/beam/sdks/v2\t(v\d+\.\d+\.\d+)[\t\n]")


class PrismNotFound(PlatformError):  # noqa: N818  what a person reads in the log
    """No Prism of the right version; the text says where it was looked for and how to get it."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to get Prism: a command that leaves ``prism`` in a folder.

    Attributes:
        name: What it does, for a person who waits.
        command: The command; ``{folder}`` stands for the folder.
        seconds: How long it may take.
        env: What it needs in its environment; ``{folder}`` likewise.
    """

    name: str
    command: tuple[str, ...]
    seconds: float
    env: dict[str, str] = field(default_factory=dict)


def fault_of_binary(path: Path) -> str | None:
    """Why the file at ``path`` is not the Prism we need; None if it is.

    Another well-known tool is called prism too, so the file is asked what it was built from: Go writes that into it.
    """
    try:
        if not os.access(path, os.X_OK) or path.stat().st_size == 0:
            return "not an executable file"
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(_MARK) < 0:
                return "not Apache Beam's Prism"
            module = _MODULE.search(content)
            # A release build names no version.
            built = module[1].decode() if module else f"v{VERSION}"
    except OSError as error:
        return str(error)
    return None if built == f"v{VERSION}" else f"Prism {built}, not v{VERSION}"


def on_loopback_only(path: Path) -> bool:
    """Whether the Prism at ``path`` was built to listen on loopback only; the others listen on every interface."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(_TAGS) >= 0
    except (OSError, ValueError):  # ValueError: an empty file
        return False


def _fault_of_cached(path: Path) -> str | None:
    """As of any binary; and where it can be built, it must be the one that listens on loopback only."""
    fault = fault_of_binary(path)
    if fault is None and shutil.which("go") and not on_loopback_only(path):
        return "it listens on every interface"
    return fault


def cached_path(cache_dir: Path) -> Path:
    """Where Prism is kept once it was got."""
    return cache_dir / "prism" / VERSION / "prism"


def look(settings: Settings) -> tuple[Path | None, tuple[str, ...]]:
    """Prism where it should be: the setting, else PATH, else the cache; and what was wrong in the places before."""
    if settings.prism is not None:
        fault = fault_of_binary(settings.prism)
        return (None, (f"setting prism: {settings.prism}: {fault}",)) if fault else (settings.prism, ())
    tried: list[str] = []
    on_path, cached = shutil.which("prism"), cached_path(settings.cache_dir)
    for name, path in (("PATH", Path(on_path) if on_path else None), ("cache", cached)):
        look_at = _fault_of_cached if path == cached else fault_of_binary
        fault = look_at(path) if path else "no prism there"
        if path and not fault:
            return path, tuple(tried)
        tried.append(f"{name}: {path}: {fault}" if path else f"{name}: {fault}")
    return None, tuple(tried)


def find_prism(settings: Settings, say: Callable[[str], None] = log.info) -> Path:
    """Prism's binary; where it is missing, built with Go or downloaded by Beam into the cache, once.

    Args:
        settings: ``prism`` names one; ``cache_dir`` keeps one.
        say: Told what is being done, since a build takes minutes.

    Raises:
        PrismNotFound: If the setting names none, or it can't be had.
    """
    path, tried = look(settings)
    if path is not None:
        return path
    if settings.prism is not None:
        raise PrismNotFound(f"Prism can't be used: {tried[0]}")
    target = cached_path(settings.cache_dir)
    try:
        with _one_at_a_time(target.parent):
            if _fault_of_cached(target) is not None:  # else another process was quicker
                tried += obtain(target, ways(), say)
    except OSError as error:
        raise PrismNotFound(f"Prism can't be kept: {target}: {error}") from error
    if fault_of_binary(target) is not None:
        raise PrismNotFound(f"Prism {VERSION} not found: {'; '.join(tried)}. {how_to_get()}")
    return target


def how_to_get() -> str:
    """What a person can do about a missing Prism."""
    return (
        "Install Go, and it is built by itself; or take Beam's release build of Prism "
        f"{VERSION}, which listens on every interface, and name it with BRINKWATCH_PRISM"
    )


def ways() -> tuple[Way, ...]:
    """How Prism can be got on this machine: the one that listens on loopback only, then Beam's own."""
    fetch = (sys.executable, "-m", "deploy.local.prism_fetch", "{folder}")
    download = Way(f"downloading Prism {VERSION} (about 30 MB)", fetch, DOWNLOAD_SECONDS)
    if shutil.which("go") is None:
        return (download,)
    built = (sys.executable, "-m", "deploy.local.prism_build", "{folder}")
    return Way(f"building Prism {VERSION} with Go (some minutes, once)", built, BUILD_SECONDS), download


def obtain(target: Path, options: tuple[Way, ...], say: Callable[[str], None]) -> tuple[str, ...]:
    """Try each way until ``target`` is there, whole or not at all; what went wrong with the ways before."""
    tried = []
    for way in options:
        say(way.name)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as name:
            said = _run(way, Path(name))
            fault = fault_of_binary(Path(name) / "prism")
            if fault is None:
                (Path(name) / "prism").replace(target)
                break
            tried.append(f"{way.name}: {said or fault}")
    return tuple(tried)


def _run(way: Way, folder: Path) -> str:
    """Run one way, bounded in time; its last words if it failed."""
    env = {**os.environ, **{key: value.format(folder=folder) for key, value in way.env.items()}}
    with (folder / "output.log").open("wb") as output:
        child = spawn([word.format(folder=folder) for word in way.command], output, env=env)
    try:
        code: int | None = child.wait(way.seconds)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        kill_group(child)
    if code == 0:
        return ""
    words = tail_of(folder / "output.log", 600)
    return f"took more than {way.seconds:.0f} s: {words}" if code is None else words or f"exit code {code}"


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: two processes that start together need only one build."""
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + DOWNLOAD_SECONDS + BUILD_SECONDS
    with (folder / "lock").open("a") as lock:
        while time.monotonic() < deadline:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.2)
        yield
