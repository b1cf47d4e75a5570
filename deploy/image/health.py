"""The image's health check: ``python -m deploy.image.health`` asks the process of this container whether it lives.

Standard library only: it runs every few seconds beside the process, and must cost nothing.
"""

from __future__ import annotations

import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

PORTS = {"connect": 9401, "extract": 9402, "score": 9403, "notify": 9404, "monitor": 9405}
"""As the settings have them; what the environment says wins. The image sets no port in service.yaml."""
TIMEOUT_S = 4.0


def role_of(command: Sequence[str]) -> str | None:
    """The role that a command line runs: the word after ``brinkwatch``. None for any other command.

    A worker of Flink is none: it serves nothing before Flink asks it for work.
    """
    words = iter(command)
    for word in words:
        if word.rsplit("/", 1)[-1] == "brinkwatch":
            role = next(words, "")
            return role if role in PORTS else None
    return None


def port_of(role: str, environment: Mapping[str, str]) -> int:
    """Where the role serves its metrics; 0 is nowhere.

    Raises:
        ValueError: The environment has no number.
    """
    return int(environment.get(f"BRINKWATCH_{role.upper()}_METRICS_PORT") or PORTS[role])


def check(role: str | None, environment: Mapping[str, str]) -> str | None:
    """What is wrong, or None. What serves nothing, such as a command that ends by itself, is well while it runs."""
    if role is None:
        return None
    port = port_of(role, environment)
    if not port:
        return None
    scheme = "https" if environment.get("BRINKWATCH_METRICS_CERTFILE") else "http"
    url = f"{scheme}://127.0.0.1:{port}/livez"
    # It is this container's own process, and nothing is told to it: its certificate need not name the loopback address.
    handler = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())  # noqa: S323, SLF001
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)  # never by way of a proxy
    try:
        with opener.open(url, timeout=TIMEOUT_S) as answer:
            answer.read(1024)
    except (OSError, urllib.error.URLError) as error:
        return f"{role} is not well: {url}: {error}"
    return None


def main() -> int:
    """Check the first process of this container. Exit codes: 0 well, 1 not."""
    command = Path("/proc/1/cmdline").read_bytes().decode(errors="replace").split("\0")
    fault = check(role_of(command), os.environ)
    if fault:
        sys.stderr.write(f"{fault}\n")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
