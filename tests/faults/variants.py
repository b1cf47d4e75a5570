"""Jobs that break the guarantee on purpose, or die at the worst moment: for the tests of the comparison alone.

``python -m tests.faults.variants NAME`` runs the real command with one function in place of another.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from config.settings import load_settings

DEATHS = 1
BUNDLES = 3
"""Bundles with signals before a death."""


def command(name: str) -> tuple[str, ...]:
    """The command line of a variant."""
    return (sys.executable, "-m", "tests.faults.variants", name)


def deaths(data_dir: Path) -> int:
    """How often variants have died so far."""
    return len(list(data_dir.glob("death-*")))


def writes_then_dies() -> str:
    """The real extract, which dies once with everything written and nothing committed."""
    from pipeline.kafka.group import GroupMember

    die = _deaths()
    write, flush = GroupMember.write, GroupMember.flush
    told: list[str] = []

    def write_and_note(member: Any, messages: Any) -> None:
        kept = list(messages)
        told.extend(message.topic for message in kept)
        write(member, kept)

    def flush_and_die(member: Any) -> None:
        flush(member)
        wrote = _has_signal(told)
        told.clear()
        die(wrote)

    GroupMember.write = write_and_note  # type: ignore[method-assign]
    GroupMember.flush = flush_and_die  # type: ignore[method-assign]
    return "extract"


def commits_first() -> str:
    """An extract that commits what it polled before it writes what came of it; it dies once between the two."""
    from pipeline.kafka.group import GroupMember

    die = _deaths()
    write, held = GroupMember.write, []

    def commit(member: Any, _left: Any = ()) -> bool:
        polled, member._polled = member._polled, {}
        committed = member._commit(polled)  # what a rebalance refuses is read again, so not lost
        die(committed and _has_signal(message.topic for message in held))
        write(member, held)
        held.clear()
        member.flush()
        return True

    GroupMember.write = lambda _, messages: held.extend(messages)  # type: ignore[method-assign]
    GroupMember.commit = commit  # type: ignore[method-assign]
    return "extract"


def counts_repeats() -> str:
    """A score that does not skip the signals that it counted before."""
    from pipeline.scoring import score, tracks

    score.is_known = tracks.is_known = lambda *_: False  # type: ignore[attr-defined]
    return "score"


def stands_still() -> str:
    """A score whose first transaction never comes back, and that may stand still for 15 seconds only."""
    from pipeline.kafka.exactly_once import ReaderWriter
    from pipeline.transforms import moving

    moving.STILL_S["score"] = 15.0
    ReaderWriter.commit = lambda *_: threading.Event().wait()  # type: ignore[method-assign]
    return "score"


def _has_signal(topics: Iterable[str]) -> bool:
    """Whether a bundle wrote a signal: a dead letter alone is neither repeated nor lost as a signal."""
    return any(topic.endswith(".signals.v1") for topic in topics)


def _deaths() -> Callable[[bool], None]:
    """A function that, told whether a bundle had something to write, kills this process in one that has."""
    folder = load_settings().data_dir
    bundles = 0

    def die(wrote: bool) -> None:
        nonlocal bundles
        bundles += wrote
        done = deaths(folder)
        if wrote and bundles >= BUNDLES and done < DEATHS:
            (folder / f"death-{done}").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    return die


VARIANTS = {
    "writes-then-dies": writes_then_dies,
    "commits-first": commits_first,
    "counts-repeats": counts_repeats,
    "stands-still": stands_still,
}


def main() -> None:
    """Run the variant that the command line names."""
    job = VARIANTS[sys.argv[1]]()
    sys.argv = ["brinkwatch", job]
    from pipeline.cli.main import main as brinkwatch

    brinkwatch()


if __name__ == "__main__":
    main()
