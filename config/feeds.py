"""The list of feeds: ``feeds.yaml``, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

import pydantic

from config.document import Document, Location, Model, Strict, fault_text, load
from config.duration import seconds
from config.errors import ConfigError, Fault
from config.redaction import shown
from config.ways import Way, WayEntry, unreadable, way

FLOOR_S = 60.0
DRILL_FLOOR_S = 1.0
CAP_S = 24 * 3600.0
MAX_URL = 2048
MAX_BLOCKS = 200
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")

Part = TypeVar("Part", dict[object, object], list[object])
FullText = Literal["never", "on_trigger", "always"]


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed to poll.

    Attributes:
        id: Short name, unique in the list; stands in every article of the feed and in the state.
        url: Where it is: http or https, or ``file:///…`` for a file or folder of lines of JSON.
        interval_s: Seconds between two polls while all is well; where it adapts, what it begins with.
        adapts: Whether the interval follows how often the feed publishes.
        floor_s: The shortest interval of a feed that adapts.
        cap_s: The longest interval of a feed that adapts.
        title: For people.
        source: Domain of the outlet, where the links of the entries do not tell it.
        language: ISO 639-1 code that the operator vouches for, used where the text is too short to tell.
        enabled: Whether it is polled.
        drill: Whether its articles are marked as a drill's.
        full_text: When the pages of its entries are fetched, whose text it shows only in part.
        access: Name of the block of ``access:`` that says how its servers are reached; empty for the usual way.
        way: That block.
    """

    id: str
    url: str
    interval_s: float = 900.0
    title: str = ""
    source: str | None = None
    language: str | None = None
    enabled: bool = True
    drill: bool = False
    adapts: bool = False
    floor_s: float = 300.0
    cap_s: float = 2 * 3600.0
    full_text: FullText = "never"
    access: str = ""
    way: Way | None = None


def _writable(value: str) -> str:
    """Bytes of a command line that are no UTF-8 come as surrogates, which can be neither written nor printed."""
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("a text that can be written in UTF-8")
    return value


def _address(value: str) -> str:
    if len(value) > MAX_URL:
        raise ValueError(f"a URL of at most {MAX_URL} characters")
    parts = urlsplit(value)
    if parts.scheme == "file":
        return _file_address(value, parts)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("a URL of http or https with a host")
    if parts.username or parts.password:
        raise ValueError("a URL without user and password: they would stand in logs")
    if any(character.isspace() or ord(character) < ord(" ") for character in value):
        raise ValueError("a URL without blanks")
    _ = parts.port  # raises ValueError for a port that is none
    return value


def _file_address(value: str, parts: SplitResult) -> str:
    path = PurePosixPath(unquote(parts.path))
    if (
        parts.netloc
        or parts.query
        or parts.fragment
        or not path.is_absolute()
        or ".." in path.parts
        or "\0" in str(path)
    ):
        raise ValueError("a file's URL with an absolute path and nothing else, such as file:///srv/news/2026.jsonl")
    return value


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError("a domain such as example.org, in lower case")
    return value


Duration = Annotated[float, pydantic.BeforeValidator(seconds)]
Writable = Annotated[str, pydantic.AfterValidator(_writable)]
Address = Annotated[Writable, pydantic.AfterValidator(_address)]
Domain = Annotated[str, pydantic.AfterValidator(_domain)]
FeedId = Annotated[str, pydantic.Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
BlockName = Annotated[str, pydantic.Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
LanguageCode = Annotated[str, pydantic.Field(pattern=r"^[a-z]{2}$")]


class FeedEntry(Strict):
    """One item of ``feeds:`` as it stands in the file.

    ``drill`` comes before ``interval``, whose floor depends on it.
    """

    id: FeedId
    url: Address
    drill: bool = False
    interval: Duration | None = None
    min_interval: Duration | None = None
    max_interval: Duration | None = None
    title: Writable = ""
    source: Domain | None = None
    language: LanguageCode | None = None
    enabled: bool = True
    full_text: FullText | None = None
    access: BlockName | None = None

    @pydantic.field_validator("interval", "min_interval", "max_interval", mode="after")
    @classmethod
    def _within(cls, value: float | None, info: pydantic.ValidationInfo) -> float | None:
        return value if value is None else _bounded(value, DRILL_FLOOR_S if info.data.get("drill") else FLOOR_S)


class Defaults(Strict):
    """``defaults:``, what counts for a feed that says nothing else.

    ``interval`` is what a feed that adapts begins with.
    """

    interval: Duration = pydantic.Field(default=900.0, validate_default=False)
    min_interval: Duration = pydantic.Field(default=300.0, validate_default=False)
    max_interval: Duration = pydantic.Field(default=2 * 3600.0, validate_default=False)
    full_text: FullText = "never"

    @pydantic.field_validator("interval", "min_interval", "max_interval", mode="after")
    @classmethod
    def _within(cls, value: float) -> float:
        return _bounded(value, FLOOR_S)


class FeedsFile(Strict):
    """The whole of ``feeds.yaml``."""

    defaults: Defaults = Defaults()
    access: dict[BlockName, WayEntry] = pydantic.Field(default_factory=dict, max_length=MAX_BLOCKS)
    feeds: tuple[FeedEntry, ...] = ()


def load_feeds(path: Path) -> tuple[Feed, ...]:
    """The feeds that ``path`` lists, disabled ones too.

    The files that access blocks name are not looked at: one that is missing is the matter of the feeds that need it.

    Raises:
        ConfigError: With every fault found, each with file, key and line.
    """
    return _load(load(path))


def load_defaults(path: Path) -> Defaults:
    """What counts in the list at ``path`` for a feed that says nothing else.

    Raises:
        ConfigError: As ``load_feeds``.
    """
    return load(path).check(FeedsFile).defaults


def load_ways(path: Path) -> dict[str, Way]:
    """The access blocks of the list at ``path``, by name.

    Raises:
        ConfigError: As ``load_feeds``.
    """
    return _ways(load(path).check(FeedsFile), path)


def unfit(given: Mapping[str, object], defaults: Defaults) -> tuple[str, str] | None:
    """The first key of a feed that can't stand so in a list with these defaults, and what was expected of it."""
    try:
        entry = FeedEntry.model_validate(given)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        return str(first["loc"][0]) if first["loc"] else "", fault_text(first)
    return _unfit(entry, defaults)


def check_feeds(path: Path) -> tuple[Feed, ...]:
    """As ``load_feeds``, and every file that an access block names can be read.

    Raises:
        ConfigError: As above.
    """
    document = load(path)
    faults = list(unreadable(document, _usable_ways(document)))
    try:
        feeds = _load(document)
    except ConfigError as error:
        raise ConfigError(_by_line([*error.faults, *faults])) from None
    if faults:
        raise ConfigError(_by_line(faults))
    return feeds


def _load(document: Document) -> tuple[Feed, ...]:
    faults = [*_repeated(document, "id"), *_repeated(document, "url"), *_unnamed(document)]
    try:
        checked = document.check(FeedsFile)
    except ConfigError as error:
        raise ConfigError(_by_line([*error.faults, *faults, *_of_usable(document)])) from None
    if faults := [*faults, *_of_bounds(document, checked.defaults, enumerate(checked.feeds))]:
        raise ConfigError(_by_line(faults))
    ways = _ways(checked, document.path)
    return tuple(_feed(entry, checked.defaults, ways) for entry in checked.feeds)


def _by_line(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: fault.line or 0)


def _part(document: Document, key: str, kind: type[Part]) -> Part:
    """What stands under ``key``, where it is of that kind; else an empty one."""
    found = document.data.get(key) if isinstance(document.data, dict) else None
    return found if isinstance(found, kind) else kind()


def _unnamed(document: Document) -> Iterator[Fault]:
    """A fault for each feed whose access block there is none of; of raw data, so that other faults don't hide it."""
    blocks: dict[object, object] = _part(document, "access", dict)
    feeds: list[object] = _part(document, "feeds", list)
    for index, item in enumerate(feeds):
        name = item.get("access") if isinstance(item, dict) else None
        if isinstance(name, str) and name not in blocks:
            yield document.fault(("feeds", index, "access"), f"the name of a block of access: (found {name!r})")


def _of_usable(document: Document) -> list[Fault]:
    """Faults of bounds in a list that has others: of the feeds that are none by themselves."""
    try:
        usual = Defaults.model_validate(_part(document, "defaults", dict))
    except pydantic.ValidationError:
        return []
    feeds: list[object] = _part(document, "feeds", list)
    valid = ((index, entry) for index, item in enumerate(feeds) if (entry := _valid(FeedEntry, item)) is not None)
    return _of_bounds(document, usual, valid)


def _usable_ways(document: Document) -> dict[str, Way]:
    """The access blocks that are well-formed."""
    blocks: dict[object, object] = _part(document, "access", dict)
    valid = {str(name): entry for name, item in blocks.items() if (entry := _valid(WayEntry, item)) is not None}
    return {name: way(name, entry, document.path.parent) for name, entry in valid.items()}


def _valid(model: type[Model], item: object) -> Model | None:
    try:
        return model.model_validate(item)
    except pydantic.ValidationError:
        return None


def _ways(checked: FeedsFile, path: Path) -> dict[str, Way]:
    return {name: way(name, entry, path.parent) for name, entry in checked.access.items()}


def _feed(entry: FeedEntry, defaults: Defaults, ways: Mapping[str, Way]) -> Feed:
    floor, cap = _bounds(entry, defaults)
    start = min(max(defaults.interval, floor), cap)
    return Feed(
        id=entry.id,
        url=entry.url,
        interval_s=start if entry.interval is None else entry.interval,
        adapts=_adapts(entry),
        floor_s=floor,
        cap_s=cap,
        title=entry.title,
        source=entry.source,
        language=entry.language,
        enabled=entry.enabled,
        drill=entry.drill,
        full_text=defaults.full_text if entry.full_text is None else entry.full_text,
        access=entry.access or "",
        way=ways.get(entry.access or ""),
    )


def _adapts(entry: FeedEntry) -> bool:
    """An interval that is given is the operator's decision; a drill is quick whatever it publishes."""
    return entry.interval is None and not entry.drill


def _bounds(entry: FeedEntry, defaults: Defaults) -> tuple[float, float]:
    """The shortest and the longest interval of a feed that adapts."""
    return (
        defaults.min_interval if entry.min_interval is None else entry.min_interval,
        defaults.max_interval if entry.max_interval is None else entry.max_interval,
    )


def _of_bounds(document: Document, usual: Defaults, entries: Iterable[tuple[int, FeedEntry]]) -> list[Fault]:
    """A fault for each interval that does not fit its bounds, and for each bound that has nothing to hold."""
    faults = []
    if said := _unfit_defaults(usual):
        faults.append(document.fault(("defaults", said[0]), said[1]))
    for index, entry in entries:
        if said := _unfit(entry, usual):
            faults.append(document.fault(("feeds", index, said[0]), said[1]))
    return faults


def _unfit_defaults(defaults: Defaults) -> tuple[str, str] | None:
    """The key that is wrong, and what was expected of it."""
    low, high = defaults.min_interval, defaults.max_interval
    if low > high:
        return "min_interval", f"at most max_interval ({high:g}s)"
    if not low <= defaults.interval <= high:
        return "interval", f"a duration from {low:g}s to {high:g}s (min_interval, max_interval)"
    return None


def _unfit(entry: FeedEntry, defaults: Defaults) -> tuple[str, str] | None:
    """As above, of a feed; what is wrong with the defaults alone is not told again with each."""
    if entry.min_interval is None and entry.max_interval is None:
        return None
    given = "max_interval" if entry.min_interval is None else "min_interval"
    floor, cap = _bounds(entry, defaults)
    if not _adapts(entry):
        return given, "neither min_interval nor max_interval with a drill or a fixed interval"
    return (given, f"a min_interval of at most max_interval ({floor:g}s, {cap:g}s)") if floor > cap else None


def _bounded(seconds: float, floor: float) -> float:
    if not floor <= seconds <= CAP_S:
        raise ValueError(f"a duration from {floor:g}s to {CAP_S / 3600:g}h")
    return seconds


def _repeated(document: Document, key: str) -> list[Fault]:
    """A fault for each feed whose ``key`` an earlier one has; looks at raw data, so that other faults don't hide it."""
    items = document.data.get("feeds") if isinstance(document.data, dict) else None
    first: dict[str, int] = {}
    faults = []
    for index, item in enumerate(items if isinstance(items, Sequence) and not isinstance(items, str) else ()):
        value = item.get(key) if isinstance(item, dict) else None
        if not isinstance(value, str):
            continue
        if value in first:
            at: Location = ("feeds", index, key)
            faults.append(document.fault(at, f"each {key} once, but feeds[{first[value]}] has {shown(value)!r} too"))
        first.setdefault(value, index)
    return faults
