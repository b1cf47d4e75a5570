"""The authored corpus: templates with placeholders, read and checked line by line (``GUIDELINES.md``)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.errors import BrinkwatchError, Fault
from pipeline.records import EventType, Modality

FOLDER = Path(__file__).parent / "corpus"
TYPES = tuple(EventType)
MODALITIES = tuple(Modality)
ACTIVE = frozenset({Modality.ASSERTED, Modality.PLANNED, Modality.THREATENED, Modality.CONDITIONAL})
"""Modalities that count today when nothing but the model speaks."""
PLACEHOLDER = re.compile(r"\{(?P<letter>[A-CGO])(?:\.(?P<form>adj|people|capital|leader))?\}")
FORMS = frozenset({"headline", "wire"})
MAX_TEXT = 600

Event = tuple[EventType, Modality]


class CorpusError(BrinkwatchError):
    """The corpus can't be used; ``faults`` holds every fault found, not just the first."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"corpus can't be used: {fault}" for fault in faults))


@dataclass(frozen=True, slots=True)
class Template:
    """One line of the corpus.

    Attributes:
        file: Name of its file.
        line: Number of its line, 1-based.
        text: The sentence, with placeholders.
        form: ``headline`` or ``wire``.
        events: What the codebook sees in it; empty for a negative.
        family: Of a negative: what kind of news or near miss it is; else empty.
    """

    file: str
    line: int
    text: str
    form: str
    events: tuple[Event, ...]
    family: str = ""

    @property
    def place(self) -> str:
        """Where it stands, ``force.jsonl:12``."""
        return f"{self.file}:{self.line}"


def load_corpus(folder: Path = FOLDER) -> tuple[Template, ...]:
    """Every template of ``folder/*.jsonl``, in the order of file names and lines.

    Raises:
        CorpusError: With every fault, each with file and line.
    """
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise CorpusError([Fault(str(folder), "", "a folder with at least one *.jsonl file")])
    faults: list[Fault] = []
    templates: list[Template] = []
    for path in paths:
        for line, text in _lines(path, faults):
            found = _read(path.name, line, text)
            if isinstance(found, Template):
                templates.append(found)
            else:
                faults += found
    faults += _repeats(templates)
    if faults:
        raise CorpusError(faults)
    return tuple(templates)


def _lines(path: Path, faults: list[Fault]) -> Iterator[tuple[int, str]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(path.name, "", f"a readable UTF-8 file ({error})"))
        return
    yield from ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def _read(file: str, line: int, text: str) -> Template | list[Fault]:
    """The line as a template, or all that is wrong with it."""
    try:
        row = json.loads(text)
    except ValueError as error:
        return [Fault(file, "", f"one JSON object ({error})", line)]
    if not isinstance(row, dict):
        return [Fault(file, "", f"one JSON object (found {type(row).__name__})", line)]
    wrong = list(_wrong(row))
    if wrong:
        return [Fault(file, key, expected, line) for key, expected in wrong]
    events = tuple((EventType(kind), Modality(modality)) for kind, modality in row["events"])
    return Template(file, line, row["text"], row["form"], events, row.get("family", ""))


def _wrong(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in sorted(row.keys() - {"text", "form", "events", "family"}):
        yield key, "no such key"
    yield from _wrong_text(row.get("text"))
    form = row.get("form")
    if not isinstance(form, str) or form not in FORMS:
        yield "form", f"headline or wire (found {form!r})"
    events = row.get("events")
    if not isinstance(events, list):
        yield "events", f"a list of [type, modality] (found {events!r})"
        return
    yield from _wrong_events(events)
    family = row.get("family", "")
    if not isinstance(family, str) or (not events and not family):
        yield "family", "of a negative: what kind of news it is"
    elif events and family:
        yield "family", "nothing, for the line has events"


def _wrong_text(text: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(text, str) or not text.strip():
        yield "text", f"a sentence (found {text!r})"
        return
    if len(text) > MAX_TEXT:
        yield "text", f"at most {MAX_TEXT} characters (found {len(text)})"
    rest = PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest:
        yield "text", "placeholders such as {A}, {B.adj}, {G} or {O} (found a brace that opens or closes no such thing)"
    formed = [match[0] for match in PLACEHOLDER.finditer(text) if match["letter"] in "GO" and match["form"]]
    if formed:
        yield "text", f"{{G}} and {{O}} without a form (found {formed[0]})"


def _wrong_events(events: list[Any]) -> Iterator[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    for number, event in enumerate(events):
        key = f"events[{number}]"
        if not (isinstance(event, list) and len(event) == 2 and all(isinstance(word, str) for word in event)):  # noqa: PLR2004 - a pair
            yield key, f"[type, modality] (found {event!r})"
            continue
        kind, modality = event
        if kind not in TYPES:
            yield key, f"a type of the codebook (found {kind!r})"
        if modality not in MODALITIES:
            yield key, f"a modality of the codebook (found {modality!r})"
        if (kind, modality) in seen:
            yield key, f"each event once (found {kind} {modality} again)"
        seen.add((kind, modality))


def _repeats(templates: list[Template]) -> Iterator[Fault]:
    """Lines whose words, apart from case and space, another line has."""
    first: dict[str, Template] = {}
    for template in templates:
        other = first.setdefault(" ".join(template.text.lower().split()), template)
        if other is not template:
            yield Fault(template.file, "text", f"a sentence of its own (found that of {other.place})", template.line)


def count_events(templates: tuple[Template, ...]) -> Counter[Event]:
    """How many templates hold each type in each modality."""
    return Counter(event for template in templates for event in template.events)
