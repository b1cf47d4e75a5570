"""Edits of ``feeds.yaml`` that leave every other byte as it is: comments, layout, quotes, order.

The text is cut and pasted at the places that PyYAML's own parser gives for each item. A round trip through a tree, as
ruamel.yaml offers, writes the whole file anew in one layout, and gives a comment above a group to the item before it:
with that item the comment would go.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from config.document import MAX_BYTES
from config.errors import BrinkwatchError, ConfigError
from config.feeds import Defaults, Feed, load_feeds, unfit

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 .()/_-]*[A-Za-z0-9.)]")
_WORDS = re.compile(r"(?:true|false|yes|no|on|off|null|y|n|~)", re.IGNORECASE)
KEYS = (
    "id", "title", "url", "source", "language", "interval", "min_interval", "max_interval", "full_text", "access",
    "enabled", "drill",
)  # fmt: skip
FLAGS = ("enabled", "drill")
_BY_HAND = "it is written in a way that has to be edited by hand"
_BEFORE = re.compile(r"[ \t]*(,?)[ \t]*")
_BEHIND = re.compile(r"[ \t]*(,?)[ \t]*(?:#.*)?")
"""What else may stand on the lines of an item in brackets, if they are its own: a comma on one side, a comment."""
Edit = Callable[[str], str]


class EditError(BrinkwatchError):
    """An edit that can't be made."""


@dataclass(frozen=True, slots=True)
class _List:
    """The list of a text: its items, where it ends, and how it is written."""

    items: tuple[yaml.MappingNode, ...]
    node: yaml.SequenceNode
    key: yaml.Node


def add(text: str, feeds: Sequence[Mapping[str, str]]) -> str:
    """``text`` with ``feeds`` at the end of its list, each on a line of its own; keys as in the file.

    Raises:
        EditError: The text has no list that can be added to.
    """
    rows = [row(feed) for feed in feeds]
    found = _find(text)
    if found is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{gap}feeds:\n" + "".join(f"  - {each}\n" for each in rows)
    if not found.items:
        return _fill(text, found.node, rows)
    last = _end(text, found.items[-1])
    if found.node.flow_style:
        return _add_to_row(text, found, rows)
    dash = " " * (found.node.start_mark.column)
    at = _line_end(text, last)
    newline = _line_break(text)
    new = "".join(f"{newline}{dash}- {each}" for each in rows)
    return text[:at] + new + text[at:]


def remove(text: str, feed: str) -> str:
    """``text`` without the feed of that id; what stands above and below it stays, comments too.

    Raises:
        EditError: There is no such feed, or it is written in a way that can't be cut out.
    """
    found, item = _item(text, feed)
    if found.node.flow_style:
        return _cut_from_row(text, found, item)
    begin = _line_begin(text, item.start_mark.index)
    end = _line_end(text, _end(text, item))
    rest = text[min(end + _newline(text, end), len(text)) :]
    if len(found.items) > 1:
        return text[:begin] + rest
    colon = text.index(":", found.key.end_mark.index) + 1
    return f"{text[:colon]} []{text[colon:begin]}{rest}"


def set_enabled(text: str, feed: str, *, enabled: bool) -> str:
    """``text`` in which the feed of that id is polled, or stays in the list only.

    Raises:
        EditError: There is no such feed, or it is written in a way that can't be changed.
    """
    _, item = _item(text, feed)
    word = "true" if enabled else "false"
    for key, value in item.value:
        if key.value == "enabled":
            return text[: value.start_mark.index] + word + text[value.end_mark.index :]
    if enabled:
        return text
    last = item.value[-1][1]
    if item.flow_style:
        return text[: last.end_mark.index] + f", enabled: {word}" + text[last.end_mark.index :]
    at = _line_end(text, _end(text, item))
    newline = _line_break(text)
    return text[:at] + f"{newline}{' ' * item.value[0][0].start_mark.column}enabled: {word}" + text[at:]


def row(feed: Mapping[str, str]) -> str:
    """A feed as one line of the list, its keys in the order of the file that is shipped."""
    return "{" + ", ".join(f"{key}: {_value(key, feed[key])}" for key in KEYS if feed.get(key)) + "}"


def _value(key: str, value: str) -> str:
    """Only a flag is true or false; an id or a title of that word is text."""
    return value if key in FLAGS and value in {"true", "false"} else scalar(value)


def scalar(value: str) -> str:
    """``value`` as YAML has a text within braces: as it is where it can be nothing else, else in quotes."""
    if re.fullmatch(r"\d[\d.]*(?:ms|s|m|h|d)", value, re.ASCII):
        return value
    if _PLAIN.fullmatch(value) and not _WORDS.fullmatch(value):
        return value
    dumped = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=10**9)
    return dumped.rstrip("\n").removesuffix("\n...")


def usable(given: Mapping[str, str], usual: Defaults) -> dict[str, str] | None:
    """``given`` without the fields that a list with these defaults may not hold; None where it is no feed at all."""
    fields: dict[str, Any] = {key: value for key, value in given.items() if key in KEYS and value}
    for flag in FLAGS:
        if flag in fields:
            fields[flag] = str(fields[flag]).strip().lower() not in {"false", "no", "0"}
    if found := unfit(fields, usual):
        key, _ = found
        if key in {"id", "url"} or key not in given:
            return None
        return usable({name: value for name, value in given.items() if name != key}, usual)
    return {key: str(value).lower() if isinstance(value, bool) else value for key, value in fields.items()}


def edit_file(path: Path, edit: Edit, meant: Callable[[dict[str, Feed]], dict[str, Feed]] | None = None) -> None:
    """Change ``path`` by ``edit``: written aside, checked by the loader, on disk, then put in the place of the old one.

    Who reads it meanwhile sees the one or the other; of two edits at once, one waits.

    Args:
        path: The list; one that is missing is made.
        edit: The text to the new text.
        meant: The feeds as they were to the feeds as they are to be; where the new text says something else, it is
            dropped. An item that is an alias, or made of merged keys, may be such a case.

    Raises:
        ConfigError: What is there, or what came of it, is no list of feeds.
        EditError: It can't be written, or the edit did something else than was meant.
    """
    path = path.resolve()
    try:
        with _locked(path) as there:
            text = _read(path) if there else ""
            before = {feed.id: feed for feed in load_feeds(path)} if there else {}
            aside = _aside(path, edit(text), there=there)
            try:
                _check(aside, path, before, meant)
                aside.replace(path)
            finally:
                aside.unlink(missing_ok=True)
            _sync(path.parent)
    except OSError as error:
        raise EditError(f"writing the list of feeds failed: {path}: {error.strerror or error}") from None


def _check(
    aside: Path, path: Path, before: dict[str, Feed], meant: Callable[[dict[str, Feed]], dict[str, Feed]] | None
) -> None:
    try:
        after = {feed.id: feed for feed in load_feeds(aside)}
    except ConfigError as error:
        if meant:  # of an edit that cuts, it is a cut that did not fit the text
            raise EditError(f"changing the list of feeds failed: {path}: {_BY_HAND}") from None
        raise ConfigError([replace(fault, file=str(path)) for fault in error.faults]) from None
    if meant and after != meant(before):
        raise EditError(f"changing the list of feeds failed: {path}: {_BY_HAND}")


def _read(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise EditError(f"changing the list of feeds failed: {path}: it is no UTF-8") from None


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold the file's lock, of the one that is in place once it is held; gives whether there is a file."""
    while True:
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file.fileno()).st_ino != path.stat().st_ino:
                    continue  # another edit has put its own in place
                yield True
                return
        except FileNotFoundError:
            if path.exists():
                raise
            yield False
            return


def _aside(path: Path, text: str, *, there: bool) -> Path:
    """The new text in a file beside ``path``, with its rights, on disk."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(number, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fchmod(number, path.stat().st_mode & 0o7777 if there else 0o644)
        os.fsync(number)
    return Path(name)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _find(text: str) -> _List | None:
    """The list under ``feeds:``; None where the key is not there.

    Raises:
        EditError: It is no list of mappings.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    key, node = next(((key, value) for key, value in pairs if key.value == "feeds"), (None, None))
    if key is None:
        return None
    if isinstance(node, yaml.ScalarNode) and not node.value:
        raise EditError("changing the list of feeds failed: `feeds:` is empty; write `feeds: []`")
    if not isinstance(node, yaml.SequenceNode) or not all(isinstance(item, yaml.MappingNode) for item in node.value):
        raise EditError("changing the list of feeds failed: `feeds:` is no list of feeds")
    return _List(tuple(node.value), node, key)


def _item(text: str, feed: str) -> tuple[_List, yaml.MappingNode]:
    found = _find(text)
    for item in found.items if found else ():
        if any(key.value == "id" and value.value == feed for key, value in item.value):
            assert found is not None  # noqa: S101  # it has items
            return found, item
    raise EditError(f"changing the list of feeds failed: {feed}: no feed has this id")


def _fill(text: str, node: yaml.SequenceNode, rows: list[str]) -> str:
    """Rows in the place of an empty list; within its brackets where comments stand there."""
    newline = _line_break(text)
    begin, end = node.start_mark.index, node.end_mark.index
    if text[begin + 1 : end - 1].strip():
        return text[: end - 1] + "".join(f"  {each},{newline}" for each in rows) + text[end - 1 :]
    head = text[:begin].rstrip(" ")
    new = "".join(f"{newline}  - {each}" for each in rows)
    return head + new + text[end:]


def _add_to_row(text: str, found: _List, rows: list[str]) -> str:
    """Rows at the end of a list in brackets, on lines of their own where the last item's line ends behind it."""
    last = _end(text, found.items[-1])
    end = _line_end(text, last)
    behind = _BEHIND.fullmatch(text, last, end)
    if behind is None:
        return text[:last] + "".join(f", {each}" for each in rows) + text[last:]
    begin = _line_begin(text, found.items[-1].start_mark.index)
    line = text[begin:end]
    gap = _line_break(text) + (line[: len(line) - len(line.lstrip())] or "  ")
    new = ",".join(f"{gap}{each}" for each in rows)
    return text[:last] + ("" if behind[1] else ",") + text[last:end] + new + behind[1] + text[end:]


def _end(text: str, node: yaml.Node) -> int:
    """Where a node's text ends; a block's own mark stands at the next token, past blank lines and comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}:
        return _block_end(text, node)
    return int(node.end_mark.index)


def _block_end(text: str, node: yaml.ScalarNode) -> int:
    """Where the last line of a text under ``|`` or ``>`` ends; its own mark stands at the begin of the next line.

    Blank lines behind it are its own only where it keeps them (``|+``), or has blanks of its own there.
    """
    head, end = node.start_mark.index, node.end_mark.index
    keeps = "+" in text[head : _line_end(text, head)] or node.value.rstrip("\n").endswith(" ")
    body = text[:end]
    return len(body.removesuffix("\n").removesuffix("\r") if keeps else body.rstrip(" \r\n"))


def _line_break(text: str) -> str:
    """What ends the lines of ``text``."""
    return "\r\n" if "\r\n" in text else "\n"


def _line_begin(text: str, at: int) -> int:
    """The begin of the line of ``at``."""
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """The end of the line of ``at``, before its newline: past a comment that belongs to it."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[end - 1 : end] == "\r" else end


def _newline(text: str, at: int) -> int:
    return 2 if text[at : at + 2] == "\r\n" else 1


def _cut_from_row(text: str, found: _List, item: yaml.MappingNode) -> str:
    """Cut an item out of a list in brackets, with one comma; of lines that are its own, all, else no line's end.

    Raises:
        EditError: It can't be told what else belongs to it.
    """
    at = found.items.index(item)
    begin, end = item.start_mark.index, _end(text, item)
    after = found.items[at - 1] if at else None
    until = found.items[at + 1].start_mark.index if at + 1 < len(found.items) else None
    before = _end(text, after) if after else found.node.start_mark.index + 1
    close = found.node.end_mark.index - 1
    if after is None and until is None and not (text[before:begin] + text[end:close]).strip(" \t\r\n,"):
        return text[:before] + text[close:]
    if until is not None and "\n" not in text[end:until]:
        return text[:begin] + text[until:]
    if after is not None and "\n" not in text[before:begin]:
        return text[:before] + text[end:]
    return _cut_lines(text, begin, end, close)


def _cut_lines(text: str, begin: int, end: int, close: int) -> str:
    """Cut an item that has no other beside it on its lines, and the list's end at ``close``.

    Raises:
        EditError: As above.
    """
    first, last = _line_begin(text, begin), _line_end(text, end)
    ahead, behind = _BEFORE.fullmatch(text, first, begin), _BEHIND.fullmatch(text, end, last)
    if ahead and behind and not (ahead[1] and behind[1]):
        return text[:first] + text[last + _newline(text, last) :]
    if ahead is None and behind:  # the list begins on its line
        return text[:begin] + text[last:]
    if ahead and close <= last:  # and ends there
        return text[:begin] + text[end:]
    raise EditError(f"changing the list of feeds failed: {_BY_HAND}")
