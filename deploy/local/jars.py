"""The broker's jars: which they are, whether they are here, and fetching those that are not."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local.jar_lock import Jar, JarError, locked_jars
from deploy.local.jar_sources import Source, sources
from deploy.local.process import kill_group, tail

FETCH_SECONDS = 900.0
Progress = Callable[[int, int], None]
"""Called with how many jars are here and how many there must be."""


def jars_dir(cache_dir: Path) -> Path:
    """Where the jars are kept under the cache."""
    return cache_dir / "jars"


def fault_of(path: Path, jar: Jar) -> str | None:
    """What is wrong with the file at ``path``; None if it is exactly ``jar``."""
    try:
        size = path.stat().st_size
        if size != jar.size:
            return f"{size} bytes, not {jar.size}"
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return str(error)
    return None if digest == jar.sha256 else f"sha256 {digest}, not {jar.sha256}"


def missing(cache_dir: Path, jars: Sequence[Jar] | None = None) -> tuple[Jar, ...]:
    """The jars that are not in the cache, or not as the lock file says."""
    folder = jars_dir(cache_dir)
    return tuple(jar for jar in (jars or locked_jars()) if fault_of(folder / jar.file_name, jar))


def classpath(cache_dir: Path) -> str:
    """Java's class path of the broker, in the lock file's order."""
    folder = jars_dir(cache_dir).absolute()
    return os.pathsep.join(str(folder / jar.file_name) for jar in locked_jars())


def ensure(cache_dir: Path, progress: Progress | None = None, timeout: float = FETCH_SECONDS) -> str:
    """Fetch what is missing, check every jar, and give the class path.

    Args:
        cache_dir: Cache folder of the user; jars go to ``jars`` below it.
        progress: Told at the start and after every jar that arrived, where one was missing.
        timeout: Seconds for all of it.

    Raises:
        JarError: With each jar that could not be had, and why.
    """
    jars = locked_jars()
    wanted = missing(cache_dir, jars)
    if wanted:
        here = len(jars) - len(wanted)
        fetch(wanted, cache_dir, lambda arrived: progress(here + arrived, len(jars)) if progress else None, timeout)
    return classpath(cache_dir)


def fetch(wanted: Sequence[Jar], cache_dir: Path, progress: Callable[[int], None], timeout: float) -> None:
    """Fetch ``wanted`` into the cache, from each source in turn until none is missing.

    Raises:
        JarError: With each jar that no source had, and what each source said.
    """
    folder = jars_dir(cache_dir)
    deadline = time.monotonic() + timeout
    left, reasons = list(wanted), []
    progress(0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in sources():
            said = _fetch_from(source, left, folder, deadline, len(wanted), progress) if left else ""
            reasons += [f"{source.name}: {said}"] if said else []
    except OSError as error:
        raise JarError(f"jars can't be fetched: {folder}: {error}") from error
    if left:
        names = f"{left[0].coordinates} and {len(left) - 1} more" if len(left) > 1 else left[0].coordinates
        raise JarError(f"jars can't be fetched: {names}: {'; '.join(reasons)}. They may be put by hand into {folder}")


def _fetch_from(
    source: Source, left: list[Jar], folder: Path, deadline: float, total: int, progress: Callable[[int], None]
) -> str:
    """Run one source, moving each jar into ``folder`` as it arrives and off ``left``; what went wrong, in words."""
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as name:
        staging = Path(name)
        with (staging / "output.log").open("w+b") as output:
            child = source.start(left, staging, output)
            try:
                while child.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.1)
                    if _adopt(staging, left, folder):
                        progress(total - len(left))
                late = child.poll() is None
            finally:
                kill_group(child)
            _adopt(staging, left, folder)
            progress(total - len(left))
            said = tail(output)
    return "took too long" if late else said or f"exit code {child.returncode}"


def _adopt(staging: Path, left: list[Jar], folder: Path) -> bool:
    """Move every jar that is whole from ``staging`` to ``folder``; whether there was one."""
    whole = [jar for jar in left if fault_of(staging / jar.file_name, jar) is None]
    for jar in whole:
        (staging / jar.file_name).replace(folder / jar.file_name)
        left.remove(jar)
    return bool(whole)
