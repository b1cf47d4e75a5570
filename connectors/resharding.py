"""Resharding: state moved to another number of shards, so that none is read anew because the number was changed.

The folder says in ``shards`` how many there are. New files are written under other names, then the number is, then the
old ones go: a kill in between leaves either the old layout whole or the new one.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from connectors.aliases import Alias
from connectors.flows import NOTE as FLOW
from connectors.flows import resharded
from connectors.rests import RESTS, joined
from connectors.shards import WHOLE, layout, of_file, shard_of
from connectors.state_file import StoreError
from connectors.store import Seen, Store

log = logging.getLogger(__name__)
MARK = "shards"
PATIENCE_S = 30.0
"""How long a start waits for another process that moves the state."""
_RETRY_S = 0.2
_SIDES = ("", "-wal", "-shm")


def laid_out(folder: Path) -> int:
    """How many shards the state in ``folder`` is in; 1 where nothing else is said.

    Raises:
        StoreError: The file that says so can't be understood.
    """
    try:
        text = (folder / MARK).read_text(encoding="ascii", errors="replace")[:20]
    except FileNotFoundError:
        return 1
    if not text.strip().isdigit():
        raise StoreError(f"reading how many shards there are failed: {folder / MARK}: not a number: {text!r}")
    return int(text)


def adopt(folder: Path, of: int) -> None:
    """Bring the state in ``folder`` to ``of`` shards, if nobody uses it; do nothing where it is.

    Raises:
        StoreError: Another process uses the folder with another number of shards.
        OSError: A file can't be read or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if laid_out(folder) == of:
        return
    with _alone(folder, of):
        before = laid_out(folder)
        if before != of:
            _move(folder, before, of)


def shared(folder: Path, of: int) -> IO[bytes]:
    """A lock that keeps the folder's number of shards as it is, until it is closed.

    Raises:
        StoreError: Another process moves it, or uses it as a whole.
    """
    lock = _locked(folder, fcntl.LOCK_SH)
    if (found := laid_out(folder)) != of:
        lock.close()
        raise StoreError(f"opening the connectors' state failed: {folder}: it was just moved to {found} shards")
    return lock


@contextlib.contextmanager
def _alone(folder: Path, of: int) -> Iterator[None]:
    try:
        lock = _locked(folder, fcntl.LOCK_EX)
    except StoreError:
        raise StoreError(
            f"opening the connectors' state failed: {folder}: it is used with {laid_out(folder)} shards, "
            f"not {of}: end those processes first"
        ) from None
    with lock:
        yield


def _locked(folder: Path, kind: int) -> IO[bytes]:
    lock = (folder / WHOLE.lock_name).open("wb")
    deadline = time.monotonic() + (PATIENCE_S if kind == fcntl.LOCK_SH else 1.0)
    while True:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                lock.close()
                raise StoreError(
                    f"opening the connectors' state failed: {folder}: another `brinkwatch connect` uses it"
                ) from None
            time.sleep(_RETRY_S)
        else:
            return lock


def _move(folder: Path, before: int, of: int) -> None:
    begun = time.monotonic()
    fresh = folder / "resharding"
    if fresh.exists():  # of one that was killed
        shutil.rmtree(fresh)
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(Store(fresh, shard, lock=False)) for shard in layout(of)]
        sources = [
            stack.enter_context(Store(folder, shard, lock=False))
            for shard in layout(before)
            if (folder / shard.file_name).exists()
        ]
        _copy(sources, targets)
    for shard in layout(of):
        _drop(folder / shard.file_name)  # with the log of one of former times, which belongs to no other file
        (fresh / shard.file_name).replace(folder / shard.file_name)
    mark = folder / f"{MARK}.new"
    mark.write_text(f"{of}\n", encoding="ascii")
    mark.replace(folder / MARK)
    for path in list(folder.iterdir()):
        if (other := of_file(path.name)) and other.of != of:
            _drop(path)
    shutil.rmtree(fresh)
    log.info(
        "the connectors' state was moved to another number of shards",
        extra={"fields": {"before": before, "now": of, "seconds": round(time.monotonic() - begun, 1)}},
    )


def _copy(sources: Sequence[Store], targets: Sequence[Store]) -> None:
    """What ``sources`` know, to the shards that their feeds now belong to."""
    for source in sources:
        for state in source.feeds().values():
            targets[shard_of(state.id, len(targets))].record(state)
        for rows in source.all_seen():
            for number, target in enumerate(targets):
                target.keep([row for row in rows if shard_of(row.feed, len(targets)) == number])
    for source in sources:
        for marks in source.all_aliases():
            _copy_aliases(marks, targets)
    _copy_notes([source.notes() for source in sources], targets)


def _copy_aliases(marks: Sequence[Alias], targets: Sequence[Store]) -> None:
    """Each with its feed, and beside it the article that it leads to, whichever feed brought that.

    A mark without its article would be forgotten.
    """
    for number, target in enumerate(targets):
        own = [mark for mark in marks if shard_of(mark.feed, len(targets)) == number]
        missing = {mark.article_id for mark in own} - target.seen([mark.article_id for mark in own]).keys()
        rows: dict[str, Seen] = {}
        for other in targets:
            rows.update(other.seen(sorted(missing - rows.keys())))
        target.keep(rows.values(), own)


def _copy_notes(notes: Sequence[Mapping[str, str]], targets: Sequence[Store]) -> None:
    """Rests of hosts to all; of how much comes in to each its part; of any other the last that was noted."""
    flows = resharded([told[FLOW] for told in notes if FLOW in told], len(targets))
    common = {name: text for told in notes for name, text in told.items()}
    if RESTS in common:
        common[RESTS] = joined(told[RESTS] for told in notes if RESTS in told)
    for target, flow in zip(targets, flows, strict=True):
        for name, text in common.items():
            target.note(name, flow if name == FLOW else text)


def _drop(path: Path) -> None:
    for side in _SIDES:
        Path(f"{path}{side}").unlink(missing_ok=True)
