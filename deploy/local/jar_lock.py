"""The lock file of the broker's jars: their coordinates and what each must be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import PlatformError

LOCK = Path(__file__).with_name("jars.lock")
_LINE = re.compile(
    r"(?P<group>[\w.-]{1,100}):(?P<artifact>[\w.-]{1,100}):(?P<version>[\w.-]{1,60})"
    r" (?P<sha256>[0-9a-f]{64}) (?P<size>\d{1,10})"
)


class JarError(PlatformError):
    """A jar that can't be had or is not what the lock file says."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar of the lock file.

    Attributes:
        group: Maven group, such as ``org.apache.kafka``.
        artifact: Maven artifact.
        version: Exact version.
        sha256: Of the file, in lower-case hex.
        size: Of the file, in bytes.
    """

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def coordinates(self) -> str:
        """``group:artifact:version``."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """Name that Maven gives the file; also its name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def parse_lock(text: str, where: str = "jars.lock") -> tuple[Jar, ...]:
    """The jars of a lock file: ``group:artifact:version sha256 bytes`` a line, ``#`` for comments.

    Raises:
        JarError: Naming the line that can't be read, or the file name that two jars share.
    """
    jars: dict[str, Jar] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise JarError(f"jars can't be read: {where}:{number}: not 'group:artifact:version sha256 bytes'")
        jar = Jar(match["group"], match["artifact"], match["version"], match["sha256"], int(match["size"]))
        if jar.file_name in jars:
            raise JarError(f"jars can't be read: {where}:{number}: {jar.file_name} is there twice")
        jars[jar.file_name] = jar
    return tuple(jars.values())


def locked_jars() -> tuple[Jar, ...]:
    """The jars that this version of Brinkwatch runs its broker with."""
    return parse_lock(LOCK.read_text(encoding="utf-8"), str(LOCK))
