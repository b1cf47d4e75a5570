"""Where jars come from: Beam's own fetcher, or Maven where it is installed. Neither needs an address of ours."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from xml.sax.saxutils import escape

from deploy.local.process import spawn

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

    from deploy.local.jar_lock import Jar

MAVEN_SETTINGS = Path("~/.m2/settings.xml")


@dataclass(frozen=True, slots=True)
class Source:
    """One way to fetch jars.

    Attributes:
        name: What a person calls it.
        command: Makes the command that puts the jars into a folder.
    """

    name: str
    command: Callable[[Sequence[Jar], Path], list[str]]

    def start(self, jars: Sequence[Jar], folder: Path, output: BinaryIO) -> subprocess.Popen[bytes]:
        """Start the fetch; its words go to ``output``. The caller ends the process group."""
        return spawn(self.command(jars, folder), output, cwd=folder)


def sources() -> tuple[Source, ...]:
    """The ways that this machine has, best first: a user's own Maven settings may name the only mirror in reach."""
    beam, maven = Source("Beam's fetcher", beam_command), Source("Maven", maven_command)
    if shutil.which("mvn") is None:
        return (beam,)
    return (maven, beam) if MAVEN_SETTINGS.expanduser().exists() else (beam, maven)


def beam_command(jars: Sequence[Jar], folder: Path) -> list[str]:
    """Fetch with Beam's fetcher, in a process of its own, since that has neither a time nor a size limit."""
    largest = max(jar.size for jar in jars)
    coordinates = [jar.coordinates for jar in jars]
    return [sys.executable, "-m", "deploy.local.jar_fetch", str(folder), str(largest), *coordinates]


def maven_command(jars: Sequence[Jar], folder: Path) -> list[str]:
    """Fetch with Maven, which then also uses the mirrors that the user's settings name."""
    project = folder / "pom.xml"
    project.write_text(project_text(jars), encoding="utf-8")
    return ["mvn", "-B", "-q", "-f", str(project), "dependency:copy-dependencies", f"-DoutputDirectory={folder}"]


def project_text(jars: Sequence[Jar]) -> str:
    """A Maven project that depends on exactly ``jars``: nothing that they depend on in turn."""
    dependencies = "".join(
        f"<dependency><groupId>{escape(jar.group)}</groupId><artifactId>{escape(jar.artifact)}</artifactId>"
        f"<version>{escape(jar.version)}</version><exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId>"
        "</exclusion></exclusions></dependency>"
        for jar in jars
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>brinkwatch</groupId><artifactId>broker</artifactId>"
        f"<version>0</version><dependencies>{dependencies}</dependencies></project>"
    )
