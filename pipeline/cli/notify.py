"""``brinkwatch notify``: send alerts to webhooks, Slack and Alertmanager."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import BrinkwatchError
from config.settings import Settings, load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.notify.service import Ready

PATIENCE_S = 150.0
"""How long none of the receivers' loops may turn: more than what a write and a commit may take together."""


def notify(
    receiver: Annotated[
        list[str] | None,
        typer.Option("--receiver", metavar="NAME", help="Only this receiver of receivers.yaml. Repeatable."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Deliver what is waiting, and end.")] = False,
    test: Annotated[
        str | None, typer.Option("--test", metavar="NAME", help="Send this receiver one sample alert, and end.")
    ] = None,
    bootstrap_servers: BootstrapServers = None,
    config: ConfigDir = None,
) -> None:
    """Send alerts to the receivers of receivers.yaml: at least once, and those of one alert in order.

    SIGTERM ends it; what was not delivered by then is delivered after the next start.
    """
    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings, serving=not once and test is None)
    if test is not None:
        _test(_chosen(settings, [test])[0])
    else:
        _follow(settings, _chosen(settings, receiver), once=once)


def _chosen(settings: Settings, names: Sequence[str] | None) -> Sequence[Ready]:
    """The receivers of these names, or all.

    Raises:
        BrinkwatchError: There are none, or none of such a name; or a fault of the file or of a secret.
    """
    from config.endpoints import load_endpoints
    from config.receivers import load_receivers

    known = [receiver.name for receiver in load_receivers(settings.receivers_file)]
    if not known:
        raise BrinkwatchError(f"notifying failed: {settings.receivers_file}: it names no receivers")
    if unknown := [name for name in names or () if name not in known]:
        why = f"no receiver {unknown[0]!r}, but {', '.join(known)}"
        raise BrinkwatchError(f"notifying failed: {settings.receivers_file}: {why}")
    return load_endpoints(settings.receivers_file, names or None)


def _follow(settings: Settings, receivers: Sequence[Ready], *, once: bool) -> None:
    from config import refusal
    from config.health import KAFKA, board
    from pipeline import metrics
    from pipeline.notify.service import run_until_signal

    board.begin("notify", KAFKA, *(f"receiver {receiver.name}" for receiver, _ in receivers), patience_s=PATIENCE_S)
    metrics.serve(settings, settings.notify_metrics_port)
    refusal.watch(settings)
    asyncio.run(run_until_signal(settings, receivers, once=once))


def _test(chosen: Ready) -> None:
    from pipeline.notify.retry import Outcome
    from pipeline.notify.sample import try_receiver

    receiver, endpoint = chosen
    delivery = try_receiver(receiver, endpoint, datetime.now(UTC))
    tries = f"{delivery.attempts} {'try' if delivery.attempts == 1 else 'tries'}"
    print(f"{receiver.name}: {delivery.outcome} after {tries} ({delivery.detail})")
    if delivery.outcome is not Outcome.DELIVERED:
        raise typer.Exit(1)
