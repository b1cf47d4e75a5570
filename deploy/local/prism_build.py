"""The child that builds Prism so that it listens on loopback: ``python -m deploy.local.prism_build FOLDER``.

Beam's Prism listens on every interface, and has no option against it. It listens in one place only, so Go's copy of
Beam's module, which Go has held against its public checksum, is copied, that one line is changed, and Prism is built
from it. Where the line is not as it was, nothing is built: better no Prism than one that is not what it says.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

MODULE = "github.com/apache/beam/sdks/v2"
SERVER = Path("go/pkg/beam/runners/prism/internal/jobservices/server.go")
ANYWHERE = 'net.Listen("tcp", fmt.Sprintf(":%d", port))'
LOOPBACK = 'net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))'
VERSION = importlib.metadata.version("apache-beam")
TAG = f"loopback_only_v{VERSION}"
"""A build tag that no file asks for: Go writes it into the binary, which so says what it is."""


class NotAsExpected(Exception):  # noqa: N818  what a person reads
    """Beam's source is not what the change is for."""


def patched(source: str) -> str:
    """Prism's server as it listens on loopback only.

    Raises:
        NotAsExpected: It listens in no place or in several.
    """
    if source.count(ANYWHERE) != 1 or source.count("net.Listen(") != 1:
        raise NotAsExpected(f"{SERVER}: it does not listen where Prism 2.77 does")
    return source.replace(ANYWHERE, LOOPBACK)


def build(folder: Path) -> None:
    """Leave ``folder/prism``.

    Raises:
        NotAsExpected: The source is another one.
        OSError, CalledProcessError: Go, or the disk, failed; Go's words went to stderr.
    """
    found = subprocess.run(
        ["go", "mod", "download", "-json", f"{MODULE}@v{VERSION}"], check=True, stdout=subprocess.PIPE, cwd=folder
    )
    module, copy = Path(json.loads(found.stdout)["Dir"]), folder / "source"
    shutil.copytree(module / "go", copy / "go", copy_function=_copy)
    for name in ("go.mod", "go.sum", "LICENSE"):
        _copy(module / name, copy / name)
    server = copy / SERVER
    server.write_text(patched(server.read_text(encoding="utf-8")), encoding="utf-8")
    command = ["go", "build", "-mod=readonly", f"-tags={TAG}", "-o", str(folder / "prism"), "./go/cmd/prism"]
    subprocess.run(command, check=True, cwd=copy, env={**os.environ, "CGO_ENABLED": "0"})


def _copy(source: str | Path, target: str | Path) -> None:
    """Without the modes: what Go keeps is read-only, and could not be removed again."""
    shutil.copyfile(source, target)


def main(folder: Path) -> int:
    """Build; the reason of a failure goes to stderr. The parent bounds the time."""
    try:
        build(folder.absolute())
    except (NotAsExpected, OSError, ValueError, KeyError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
