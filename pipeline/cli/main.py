"""The command ``brinkwatch``: its commands, and how their failures look."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from config.errors import BrinkwatchError, ConfigError
from pipeline.cli import (
    alerts,
    config_check,
    connect,
    deadletters,
    doctor,
    evaluate,
    extract,
    feeds,
    health,
    monitor,
    notify,
    prometheus,
    replay,
    score,
    topics,
    up,
    watch,
    worker,
)
from pipeline.cli.common import tell_failure

app = typer.Typer(
    name="brinkwatch",
    help="Reads the world's news as it is published, finds signals of escalation, and raises alerts.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config = typer.Typer(help="The configuration.", no_args_is_help=True)
app.add_typer(config, name="config")

app.command("up")(up.up)
app.command("connect")(connect.connect)
app.command("extract")(extract.extract)
app.command("score")(score.score)
app.command("worker")(worker.worker)
app.command("sdk-worker", hidden=True)(worker.sdk_worker)
app.command("notify")(notify.notify)
app.command("monitor")(monitor.monitor)
app.command("health")(health.health)
app.command("watch")(watch.watch)
app.command("prometheus")(prometheus.prometheus)
subscription = typer.Typer()
subscription.callback(invoke_without_command=True)(alerts.alerts)
subscription.command("test")(alerts.test)
app.add_typer(subscription, name="alerts")
app.add_typer(feeds.app, name="feeds")
app.add_typer(deadletters.app, name="deadletters")
app.add_typer(topics.app, name="topics")
app.command("replay")(replay.replay)
app.command("evaluate")(evaluate.evaluate)
app.command("doctor")(doctor.doctor)
config.command("check")(config_check.check)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"brinkwatch {version('brinkwatch')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Shared options."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 usage."""
    try:
        app()
    except ConfigError as error:
        for fault in error.faults:
            tell_failure(str(fault))
        sys.exit(1)
    except BrinkwatchError as error:
        tell_failure(str(error))
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away (`| head`): nothing is wrong, and there is nobody to tell
        sys.exit(1)


if __name__ == "__main__":
    main()
