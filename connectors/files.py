"""Files of articles as a feed: lines of JSON, read in portions, with the place kept where a validator is kept.

A million lines are never in memory at once: a poll reads a few thousand, and while there is more the next one follows
at once. The place in each file stands in the feed's state in the place of an ETag, written in one transaction with what
was read: so it survives what an ETag survives, and never gets ahead of the articles.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote, urlsplit

import msgspec

from connectors.entry import MAX_ENTRIES
from connectors.fetch import Fetched, Validators
from connectors.formats import Source
from connectors.lines import CONTENT_TYPE, MAX_LINE, peek
from connectors.outcome import Outcome
from connectors.threads import Threads

MAX_PORTION = 4 * 1024 * 1024
MAX_SKIPPED = 64 * 1024 * 1024
MAX_FILES = 1_000
MAX_TOLD = 3
STEP = 8
"""A portion that can't be parsed is read again in so many times fewer lines, and what follows in so many times more."""
NOT_READ = "not read: "
"""Begins what is told of files that were passed over."""
READ_S = 60.0
MAX_READS = 128
_TAIL = 64
_THREADS = Threads(MAX_READS, "read")


class _Place(msgspec.Struct, array_like=True, frozen=True):
    """How far a file was read.

    Attributes:
        inode, size, mtime_ns: Of the file when it was read.
        offset: Bytes that were read.
        line: Number of the line that begins there, or goes on there.
        tail: Digest of the bytes before; another one means that the file was written anew.
        skipping: Whether that line is too long, and was told to be.
        done: Whether there was nothing more.
    """

    inode: int
    size: int
    mtime_ns: int
    offset: int = 0
    line: int = 1
    tail: str = ""
    skipping: bool = False
    done: bool = False

    def is_of(self, found: os.stat_result) -> bool:
        """Whether the file is as it was."""
        return (self.inode, self.size, self.mtime_ns) == (found.st_ino, found.st_size, found.st_mtime_ns)


class _Progress(msgspec.Struct, frozen=True):
    """How far the files were read.

    Attributes:
        files: The place in each, by name.
        more: Whether there is more to read at once.
        limit: The most lines of the next portion, where one before it could not be parsed; else 0.
        left: How many lines of that one are still to be read.
    """

    files: dict[str, _Place] = {}
    more: bool = False
    limit: int = 0
    left: int = 0


@dataclass(slots=True)
class _Portion:
    """Lines of one file, and the place after them."""

    offset: int
    line: int
    skipping: bool
    limit: int = MAX_ENTRIES
    first: int = 0
    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    skipped: int = 0
    done: bool = False

    @property
    def full(self) -> bool:
        return len(self.lines) >= self.limit or self.size >= MAX_PORTION or self.skipped >= MAX_SKIPPED


def is_file(url: str) -> bool:
    """Whether a feed's address is one of a file or a folder."""
    return url[:5].lower() == "file:"


async def fetch(url: str, etag: str = "") -> Fetched:
    """As ``read``, in a thread, and given up after a minute: a disk on the network may never answer.

    While it does not, the next poll waits for the same read: a feed holds one thread at most.
    """
    try:
        async with asyncio.timeout(READ_S):
            return await _THREADS.run((url, etag), partial(read, url, etag))
    except TimeoutError:
        return Fetched(Outcome.TIMEOUT, error=f"reading took more than {READ_S:g} s", final_url=url)


def read(url: str, etag: str) -> Fetched:
    """The next portion of the file, or of the first file of the folder that has one; blocks for as long as disks do.

    Args:
        url: ``file:///…``, as the operator wrote it.
        etag: What the last read gave as the ETag; empty at first.

    Returns:
        ``ok`` with lines and an ETag for the next read, ``not_modified`` where nothing was added or changed, or why
        it can't be read. Where files of a folder were passed over, ``error`` says which.
    """
    path = Path(unquote(urlsplit(url).path))
    progress = _progress(etag)
    try:
        names = _names(path)
        if len(names) > MAX_FILES:
            return Fetched(Outcome.TOO_LARGE, error=f"more than {MAX_FILES} files in {path}", final_url=url)
        return _next(path, names, progress, url)
    except FileNotFoundError:
        return Fetched(Outcome.NOT_FOUND, error=f"no such file: {path}", final_url=url)
    except PermissionError as error:
        return Fetched(Outcome.REFUSED, error=f"{error.strerror}: {error.filename or path}", final_url=url)
    except (OSError, ValueError) as error:
        return Fetched(Outcome.CONNECT_ERROR, error=f"reading {path} failed: {error}"[:300], final_url=url)


def has_more(fetched: Fetched) -> bool:
    """Whether what was read is but a portion, and the next one is there."""
    return is_file(fetched.final_url) and _progress(fetched.validators.etag).more


def smaller(etag: str, fetched: Fetched) -> str:
    """What to go on from where the portion that was read from ``etag`` could not be parsed: its begin, fewer lines."""
    lines = fetched.body.count(b"\n")
    return _written(msgspec.structs.replace(_progress(etag), limit=max(1, lines // STEP), left=lines))


def is_least(etag: str) -> bool:
    """Whether what was read from ``etag`` is a single line, because portions before could not be parsed."""
    return _progress(etag).limit == 1


def source(fetched: Fetched) -> Source:
    """Where the body that was fetched came from, for the parser; of a file, with the number of its first line."""
    kind, _, line = fetched.content_type.partition("; line=")
    if is_file(fetched.final_url):
        return Source(fetched.final_url, kind, int(line or 1))
    return Source(fetched.final_url, fetched.content_type)


def _progress(etag: str) -> _Progress:
    try:
        return msgspec.json.decode(etag.encode(), type=_Progress) if etag else _Progress()
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return _Progress()  # of another kind of feed, or of another version: what was sent is known by its ids


def _written(progress: _Progress) -> str:
    return msgspec.json.encode(progress).decode()


def _eased(before: _Progress, places: dict[str, _Place], lines: int, *, more: bool) -> _Progress:
    """What to go on from behind a portion of so many lines: what could not be parsed is behind it, or still ahead."""
    left = max(0, before.left - lines)
    limit = before.limit if left else before.limit * STEP
    return _Progress(places, more, limit if limit < MAX_ENTRIES else 0, left)


def _names(path: Path) -> list[str]:
    """The files to read, in order: of a folder those that are neither links nor hidden; else ``.``, ``path`` itself."""
    if not stat.S_ISDIR(path.stat().st_mode):
        return ["."]
    found = []
    with os.scandir(path) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                found.append(entry.name)
            if len(found) > MAX_FILES:
                break
    return sorted(found)


def _next(path: Path, names: list[str], progress: _Progress, url: str) -> Fetched:
    """The first file's that has something new; one of a folder that can't be read costs only itself."""
    places = {name: place for name, place in progress.files.items() if name in names}
    passed: list[str] = []
    for position, name in enumerate(names):
        try:
            portion = _read(path / name, name, places, progress.limit or MAX_ENTRIES)
        except (OSError, ValueError) as error:
            passed.append(_passed(name, error))
            if len(passed) == len(names):
                raise
            continue
        if portion is None:
            continue
        more = not portion.done or _any_new(path, names[position + 1 :], places)
        return Fetched(
            Outcome.OK,
            body=b"".join(portion.lines),
            validators=Validators(etag=_written(_eased(progress, places, len(portion.lines), more=more))),
            final_url=url if name == "." else f"{url.rstrip('/')}/{quote(name)}",
            content_type=f"{CONTENT_TYPE}; line={portion.first or portion.line}",
            error=_told(passed),
        )
    return Fetched(Outcome.NOT_MODIFIED, final_url=url, error=_told(passed))


def _read(path: Path, name: str, places: dict[str, _Place], limit: int) -> _Portion | None:
    """What is new in a file, at most ``limit`` lines, its place noted; None where nothing is.

    Raises:
        OSError: It can't be read.
        ValueError: It is no regular file, or its name can't be written down.
    """
    name.encode()  # else its place could not be kept
    with _open(path) as file:
        found = os.fstat(file.fileno())
        place = places.get(name)
        if place and place.done and place.is_of(found):
            return None
        portion = _portion(file, found, place, limit)
        places[name] = _place(file, found, portion)
        return portion


def _passed(name: str, error: Exception) -> str:
    why = "its name is no UTF-8" if isinstance(error, UnicodeError) else getattr(error, "strerror", None) or error
    return f"{os.fsencode(name).decode(errors='replace')}: {why}"


def _told(passed: list[str]) -> str:
    """Which files were passed over, the first few by name."""
    more = [f"{len(passed) - MAX_TOLD} more"] if len(passed) > MAX_TOLD else []
    return f"{NOT_READ}{'; '.join(passed[:MAX_TOLD] + more)}" if passed else ""


def _any_new(path: Path, names: Iterable[str], places: dict[str, _Place]) -> bool:
    """Whether one of these has something new; for one that can't be read now the next poll need not hurry."""
    for name in names:
        place = places.get(name)
        with contextlib.suppress(OSError, ValueError):
            name.encode()
            if place and place.done and place.is_of((path / name).stat()):
                continue
            _open(path / name).close()
            return True
    return False


def _open(path: Path) -> IO[bytes]:
    """Open a regular file; what is none, such as a pipe, is not waited for.

    Raises:
        OSError: It can't be opened.
        ValueError: It is no regular file.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(number, "rb")
    if not stat.S_ISREG(os.fstat(number).st_mode):
        file.close()
        raise ValueError("no regular file")
    return file


def _portion(file: IO[bytes], found: os.stat_result, place: _Place | None, limit: int) -> _Portion:
    portion = _begin(file, found, place)
    portion.limit = limit
    file.seek(portion.offset)
    while not portion.full:
        raw = file.readline(MAX_LINE + 1)
        if not raw or (not raw.endswith(b"\n") and not _take_last(portion, raw)):
            portion.done = True
            break
        if raw.endswith(b"\n"):
            _take(portion, raw)
    portion.done = portion.done or portion.offset >= found.st_size
    return portion


def _begin(file: IO[bytes], found: os.stat_result, place: _Place | None) -> _Portion:
    """Where to go on: behind what was read, if the file has but grown; else at its begin."""
    if place is None or place.inode != found.st_ino or found.st_size < place.offset:
        return _Portion(0, 1, skipping=False)
    rewritten = place.done and place.size == found.st_size and place.mtime_ns != found.st_mtime_ns
    if rewritten or _tail(file, place.offset) != place.tail:
        return _Portion(0, 1, skipping=False)
    return _Portion(place.offset, place.line, place.skipping)


def _take(portion: _Portion, raw: bytes) -> None:
    """A whole line, or the end of one that is too long."""
    if portion.skipping:
        portion.skipping = False
        portion.skipped += len(raw)
    else:
        portion.first = portion.first or portion.line
        portion.lines.append(raw)
        portion.size += len(raw)
    portion.offset += len(raw)
    portion.line += 1


def _take_last(portion: _Portion, raw: bytes) -> bool:
    """A piece without a line's end; whether it was taken.

    It belongs to a line that is too long, which is taken up to the limit, so that it is told, and skipped from there
    on; or it is the last of the file: then it is taken if it is whole, else still being written.
    """
    if portion.skipping:
        portion.skipped += len(raw)
    elif len(raw) > MAX_LINE or peek(raw) is not None:
        portion.skipping = len(raw) > MAX_LINE
        portion.first = portion.first or portion.line
        portion.lines.append(raw + b"\n")
        portion.size += len(raw)
    else:
        return False
    portion.offset += len(raw)
    return True


def _place(file: IO[bytes], found: os.stat_result, portion: _Portion) -> _Place:
    return _Place(
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        portion.offset,
        portion.line,
        _tail(file, portion.offset),
        portion.skipping,
        portion.done,
    )


def _tail(file: IO[bytes], offset: int) -> str:
    begin = max(offset - _TAIL, 0)
    return hashlib.sha256(os.pread(file.fileno(), offset - begin, begin)).hexdigest()[:8]
