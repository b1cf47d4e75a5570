"""Dead letters as text for a person: what came from outside can neither steer the terminal nor flood it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.deadletters.letter import Letter
from pipeline.deadletters.survey import State
from pipeline.deadletters.table import Row
from pipeline.watch.render import clean

SHOWN_BYTES = 4096
SHOWN_HEADERS = 50
SHOWN_HEADER_BYTES = 300
HEX_WIDTH = 16
STATES = {State.WAITING: "waiting", State.REDRIVEN: "redriven", State.COPY: "copy"}
# Control and format characters, surrogates, line and paragraph separators: what moves a cursor or turns text round.
_UNSAFE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f]"
)


def escaped(text: str) -> str:
    r"""``text`` with every character that a terminal would act on written out, such as ``\x1b``; line ends stay."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def as_text(raw: bytes, most: int) -> str | None:
    """At most the first ``most`` bytes as text, escaped; None if they are no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return escaped(decoder.decode(raw[:most], final=len(raw) <= most))
    except UnicodeDecodeError:
        return None


def as_hex(raw: bytes, most: int) -> str:
    """At most the first ``most`` bytes as lines of offset, hex and ASCII."""
    lines = []
    for first in range(0, min(len(raw), most), HEX_WIDTH):
        row = raw[first : min(first + HEX_WIDTH, most)]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)  # noqa: PLR2004  printable ASCII
        lines.append(f"{first:08x}  {row.hex(' '):<{3 * HEX_WIDTH - 1}}  {shown}")
    return "\n".join(lines)


def one_line(raw: bytes | None, most: int = SHOWN_HEADER_BYTES) -> str:
    """A key or a header's value on one line: text, or ``0x`` and hex."""
    if raw is None:
        return "none"
    text = as_text(raw, most)
    rest = "…" if len(raw) > most else ""
    return (f"0x{raw[:most].hex()}" if text is None else text.replace("\n", "\\n")) + rest


def moment(at: datetime | None) -> str:
    """To the second, in UTC."""
    return "unknown" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def source(letter: Letter) -> str:
    """``brinkwatch.articles.v1:2:7``: topic, partition and offset of what failed."""
    failure = letter.failure
    return f"{one_line(failure.topic.encode())}:{failure.partition}:{failure.offset}"


def table_lines(rows: Sequence[Row]) -> Iterator[str]:
    """A head, and a line for each stage and reason."""
    cells = [("stage", "reason", "letters", "waiting", "redriven", "first", "last")]
    for row in rows:
        counts = (str(row.letters), str(row.waiting), str(row.redriven))
        cells.append((clean(row.stage), clean(row.reason), *counts, moment(row.first), moment(row.last)))
    return aligned(cells, right=range(2, 5))


def letter_cells(letter: Letter, state: State) -> tuple[str, ...]:
    """One letter in a list."""
    failure = letter.failure
    why = clean(failure.message, 100)
    return str(letter.place), moment(letter.at), clean(failure.stage), clean(failure.reason), STATES[state], why


def aligned(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> Iterator[str]:
    """Rows as lines with aligned columns; those of ``right`` to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    to_right = set(right)
    for row in rows:
        cells = (
            cell.rjust(w) if i in to_right else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def shown(letter: Letter) -> Iterator[str]:
    """All of one letter that a person needs, in lines; but not how it stands with it, which takes reading the topic."""
    failure, value = letter.failure, letter.value
    facts = (
        ("dead letter", str(letter.place)),
        ("stage", escaped(failure.stage)),
        ("reason", escaped(failure.reason)),
        ("why", escaped(failure.message)),
        ("came from", source(letter)),
        ("written", moment(letter.at)),
        ("key", one_line(letter.key)),
        ("value", "none" if value is None else f"{len(value)} bytes"),
    )
    for name, fact in facts:
        yield f"{name:<12} {fact}"
    for name, content in letter.headers[:SHOWN_HEADERS]:
        yield f"{'header':<12} {one_line(name.encode('utf-8', 'replace'))}: {one_line(content)}"
    if len(letter.headers) > SHOWN_HEADERS:
        yield f"{'header':<12} … and {len(letter.headers) - SHOWN_HEADERS} more"
    yield from _value_lines(value or b"")


def _value_lines(value: bytes) -> Iterator[str]:
    if not value:
        return
    text = as_text(value, SHOWN_BYTES)
    yield ""
    yield as_hex(value, SHOWN_BYTES) if text is None else text
    if len(value) > SHOWN_BYTES:
        yield f"… {len(value) - SHOWN_BYTES} bytes more; --raw writes all of them"


def row_json(row: Row) -> dict[str, Any]:
    """A row of the table for a program."""
    counts = {"letters": row.letters, "waiting": row.waiting, "redriven": row.redriven}
    return {"stage": row.stage, "reason": row.reason, **counts, "first": _iso(row.first), "last": _iso(row.last)}


def letter_json(letter: Letter, state: State) -> dict[str, Any]:
    """A letter for a program, without its value."""
    failure = letter.failure
    return {
        "letter": str(letter.place),
        "stage": failure.stage,
        "reason": failure.reason,
        "why": failure.message,
        "topic": failure.topic,
        "partition": failure.partition,
        "offset": failure.offset,
        "written": _iso(letter.at),
        "key": None if letter.key is None else one_line(letter.key),
        "bytes": len(letter.value or b""),
        "state": STATES[state],
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
