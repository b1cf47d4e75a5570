"""A real Alertmanager on loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self
from urllib.error import URLError
from urllib.request import urlopen

from service import wait_for

from deploy.local.process import Port

BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
MISSING = "no Alertmanager on this machine: install the Debian package prometheus-alertmanager"
CONFIG = """\
route: {receiver: nobody}
receivers: [{name: nobody}]
"""


class RealAlertmanager:
    """The process; each start is with an empty memory, on the same port. A context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._starts = folder, 0
        self._port = Port()
        self._child: subprocess.Popen[bytes] | None = None
        (folder / "alertmanager.yml").write_text(CONFIG, encoding="utf-8")

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port.number}"

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self._starts += 1
        self._port.hand_over()
        with (self._folder / "alertmanager.log").open("ab") as log:
            self._child = subprocess.Popen(
                [
                    str(BINARY),
                    f"--config.file={self._folder / 'alertmanager.yml'}",
                    f"--storage.path={self._folder / f'data-{self._starts}'}",
                    f"--web.listen-address=127.0.0.1:{self._port.number}",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=log,
            )
        wait_for(self._ready, 30, "Alertmanager")

    def stop(self) -> None:
        """End it."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that it holds for open."""
        with urlopen(f"http://127.0.0.1:{self._port.number}/api/v2/alerts", timeout=10) as response:
            return json.load(response)

    def levels(self) -> list[str]:
        """The levels of the open alerts."""
        return sorted(each["labels"]["level"] for each in self.alerts())

    def _ready(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self._port.number}/-/ready", timeout=5) as response:
                return response.status == 200
        except (URLError, OSError):
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._port.release()
