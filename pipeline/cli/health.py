"""``brinkwatch health``: whether processes are well, and why not."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from config.settings import Settings, load_settings
from pipeline.cli.common import ConfigDir

TIMEOUT_S = 5.0
MAX_BYTES = 64 * 1024
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # what is listened on, never by us


class Role(StrEnum):
    """The processes that tell how they are."""

    UP = "up"
    CONNECT = "connect"
    EXTRACT = "extract"
    SCORE = "score"
    NOTIFY = "notify"
    MONITOR = "monitor"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address said: whether all is well, and a line for each check that is not, or says something."""

    ok: bool
    lines: tuple[str, ...]


def health(
    role: Annotated[
        Role | None, typer.Option(metavar="NAME", help="Ask this process where the settings say that it is.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask at this address, such as http://host:9402.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask whether it must be started again, not whether it can work now.")
    ] = False,
    config: ConfigDir = None,
) -> None:
    """Ask a process on its metrics port how it is. Exit code 0: well; 1: not, or no answer.

    With neither option, all processes of an installation on this machine that have a port.
    """
    if role is not None and url is not None:
        raise typer.BadParameter("--role and --url: give one of them")
    path = "/livez" if live else "/readyz"
    if url is not None:
        asked = {url: _address(url, path)}
    else:
        settings = load_settings(config_dir=config)
        asked = {name.value: address(settings, name, path) for name in ([role] if role else _all(settings))}
    answers = {name: ask(where) for name, where in asked.items()}
    for name, answer in answers.items():
        for line in answer.lines:
            print(f"{name}: {line}")
    if not all(answer.ok for answer in answers.values()):
        raise typer.Exit(1)


def port(settings: Settings, role: Role) -> int:
    """The port of a process; 0 where it has none."""
    number: int = getattr(settings, f"{role.value}_metrics_port")
    return number


def _all(settings: Settings) -> list[Role]:
    """Those that ``up`` runs, notify only where receivers are named."""
    from config.receivers import load_receivers

    roles = [role for role in Role if role is not Role.NOTIFY or load_receivers(settings.receivers_file)]
    return [role for role in roles if port(settings, role)]


def address(settings: Settings, role: Role, path: str) -> str:
    """Where a process of this machine answers.

    Raises:
        BadParameter: Nowhere: its port is 0.
    """
    number = port(settings, role)
    if not number:
        raise typer.BadParameter(f"--role {role.value}: its metrics port is 0: it answers nowhere")
    host = EVERYWHERE.get(settings.metrics_host, settings.metrics_host)
    scheme = "https" if settings.metrics_certfile else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{number}{path}"


def _address(url: str, path: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--url {url}: it must begin with http:// or https://")
    return url if url.rstrip("/").endswith(("/livez", "/readyz")) else url.rstrip("/") + path


def ask(url: str) -> Answer:
    """What ``url`` says within five seconds; a proxy of the environment is never asked."""
    # Whoever answers is not checked: nothing is told to it, and a certificate need not name the address of loopback.
    context = ssl._create_unverified_context()  # noqa: S323, SLF001
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(url, timeout=TIMEOUT_S) as response:
            return read(response.status, response.read(MAX_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return read(error.code, error.read(MAX_BYTES))
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return Answer(ok=False, lines=(f"no answer from {url}: {reason}",))


def read(status: int, body: bytes) -> Answer:
    """The answer that a status and body are; whatever else is there is not well."""
    try:
        said = json.loads(body)
        checks: dict[str, Any] = dict(said["checks"])
        lines = [f"{name}: {_words(check)}" for name, check in checks.items() if not check["ok"] or check.get("why")]
        ok = status == 200 and said["ok"] is True  # noqa: PLR2004  # HTTP's OK
    except (ValueError, KeyError, TypeError, AttributeError):
        return Answer(ok=False, lines=(f"no answer of a process of Brinkwatch: status {status}",))
    state = ("ok" if ok else "not well") + (", stands by" if said.get("active") is False else "")
    return Answer(ok, (state, *lines))


def _words(check: dict[str, Any]) -> str:
    why = "".join(letter if letter.isprintable() else "?" for letter in str(check.get("why", "")))[:300]
    return why if check["ok"] else f"not well: {why}"
