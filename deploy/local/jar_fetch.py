"""The child that fetches jars with Beam's fetcher: ``python -m deploy.local.jar_fetch FOLDER MAX_BYTES G:A:V …``."""

from __future__ import annotations

import logging
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

AT_ONCE = 4


def main(arguments: list[str]) -> int:
    """Fetch each jar into the folder; the reason of each failure goes to stderr.

    Files can't grow past ``MAX_BYTES``, whatever a server sends; the parent bounds the time.
    """
    folder, largest, *coordinates = arguments
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest), resource.RLIM_INFINITY))
    # Beam warns for each file that it fetches something at run time; the lock file answers that worry.
    logging.disable(logging.WARNING)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        faults = [fault for fault in pool.map(lambda each: _fetch(each, folder), coordinates) if fault]
    sys.stderr.write("\n".join(faults[:3]))
    return 1 if faults else 0


def _fetch(coordinates: str, folder: str) -> str | None:
    from apache_beam.utils.subprocess_server import JavaJarServer

    group, artifact, version = coordinates.split(":")
    try:
        beam: Any = JavaJarServer  # it has no types
        beam.local_jar(beam.path_to_maven_jar(artifact, group, version), folder)
    except Exception as error:  # noqa: BLE001  # urllib's, the socket's, TLS's or Beam's: all end as words to a person
        return f"{coordinates}: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
