"""The child that lets Beam download Prism: ``python -m deploy.local.prism_fetch FOLDER`` leaves ``FOLDER/prism``."""

from __future__ import annotations

import importlib.metadata
import platform
import resource
import socket
import sys
from pathlib import Path
from typing import Any

LARGEST_BYTES = 300 * 1024 * 1024
SILENCE_SECONDS = 20


def main(folder: Path) -> int:
    """Download and unpack; the reason of a failure goes to stderr. The parent bounds the time."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_BYTES, resource.RLIM_INFINITY))
    socket.setdefaulttimeout(SILENCE_SECONDS)
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.portability.prism_runner import PrismJobServer

    tag = f"v{importlib.metadata.version('apache-beam')}"
    server: Any = PrismJobServer
    try:
        url = server(PipelineOptions([])).construct_download_url(tag, platform.system(), platform.machine())
        Path(server.local_bin(url, str(folder), ignore_cache=True)).rename(folder / "prism")
    except Exception as error:  # noqa: BLE001  # urllib's, the socket's, zipfile's or Beam's: all end as words to a person
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
