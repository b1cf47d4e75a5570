"""A real Prometheus on loopback."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Self
from urllib.error import URLError
from urllib.request import urlopen

from service import wait_for

from deploy.local.process import Port

if TYPE_CHECKING:
    from pathlib import Path

BINARY = shutil.which("prometheus")
MISSING = "no Prometheus on this machine: install the Debian package prometheus"


class RealPrometheus:
    """The process, with a configuration of the test's own. A context manager."""

    def __init__(self, folder: Path, config: str) -> None:
        self._folder, self._port = folder, Port()
        self._child: subprocess.Popen[bytes] | None = None
        (folder / "prometheus.yml").write_text(config, encoding="utf-8")

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port.number}"

    def __enter__(self) -> Self:
        self._port.hand_over()
        with (self._folder / "prometheus.log").open("ab") as log:
            self._child = subprocess.Popen(
                [
                    str(BINARY),
                    f"--config.file={self._folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self._folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self._port.number}",
                ],
                stdout=log,
                stderr=log,
            )
        wait_for(self._ready, 30, "Prometheus")
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._port.release()

    def _ready(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self._port.number}/-/ready", timeout=5) as response:
                return response.status == 200
        except (URLError, OSError):
            return False
