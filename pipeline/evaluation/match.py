"""Match: one labelled row against what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.evaluation.labels import Scheme, label
from pipeline.records import EventType, Modality

if TYPE_CHECKING:
    from pipeline.evaluation.rows import Event, Found, FoundMagnitude, Gold, HowMuch

MUTUAL = frozenset({EventType.TALKS, EventType.CEASEFIRE})
"""Types whose parties are each other's: who comes first says nothing."""
LAPSED = frozenset({Modality.NEGATED, Modality.HISTORICAL})


@dataclass(frozen=True, slots=True)
class Judged:
    """One expected event, against the signals of its name.

    Attributes:
        event: What was expected.
        name: Its type or category.
        modalities: Those of all signals of that name, in order; empty: it was missed.
        leaked: Whether it is denied or long past, and yet a signal of its name counts; None: it is neither.
        actors, recipients, magnitudes: Whether the signal that fits best has them right; None: not judged.
    """

    event: Event
    name: str
    modalities: tuple[Modality, ...]
    leaked: bool | None
    actors: bool | None = None
    recipients: bool | None = None
    magnitudes: bool | None = None

    @property
    def modality(self) -> bool | None:
        """Whether a signal of its name has its modality; None where it was missed or is not labelled."""
        if not self.modalities or self.event.modality is None:
            return None
        return self.event.modality in self.modalities


@dataclass(frozen=True, slots=True)
class Match:
    """One row.

    Attributes:
        wanted: Names of the events that should be found.
        found: Names of those that were.
        alarmed: Whether a signal counts where nothing should be found; None where something should.
        events: Each expected event.
    """

    wanted: frozenset[str]
    found: frozenset[str]
    alarmed: bool | None
    counts: bool
    events: tuple[Judged, ...]

    @property
    def wrong(self) -> tuple[str, ...]:
        """What is wrong with it, in words; empty: nothing."""
        said = [f"missed: {name}" for name in sorted(self.wanted - self.found)]
        said += [f"not there: {name}" for name in sorted(self.found - self.wanted)]
        for one in self.events:
            if one.modality is False:
                said.append(f"modality of {one.name}: {one.event.modality}, found {', '.join(one.modalities)}")
            said += [f"{part} of {one.name}" for part in PARTS if getattr(one, part) is False]
        return tuple(said)


PARTS = ("actors", "recipients", "magnitudes")


def match(row: Gold, signals: Sequence[Found], scheme: Scheme) -> Match:
    """The row against its signals."""
    named = [(label(signal.event_type, signal.modality, scheme), signal) for signal in signals]
    active = frozenset(name for name, signal in named if signal.active)
    wanted = frozenset(event.name for event in row.events)
    events = tuple(_judged(event, [s for name, s in named if name == event.name], active) for event in row.events)
    alarmed = bool(active) if not wanted else None
    return Match(wanted, frozenset(name for name, _ in named), alarmed, bool(active), events)


def _judged(event: Event, fits: Sequence[Found], active: frozenset[str]) -> Judged:
    modalities = tuple(signal.modality for signal in fits)
    leaked = event.name in active if event.modality in LAPSED else None
    if not fits:
        return Judged(event, event.name, modalities, leaked)
    judged = [_parts(event, signal) for signal in fits]
    same = [signal.modality == event.modality for signal in fits]
    best = max(range(len(fits)), key=lambda place: (same[place], sum(part is True for part in judged[place]), -place))
    return Judged(event, event.name, modalities, leaked, *judged[best])


def _parts(event: Event, signal: Found) -> tuple[bool | None, bool | None, bool | None]:
    """Whether actors, recipients and magnitudes are right; None: not labelled."""
    actors, recipients = {p.code for p in signal.actors}, {p.code for p in signal.recipients}
    want_actors = None if event.actors is None else set(event.actors)
    want_recipients = None if event.recipients is None else set(event.recipients)
    if signal.event_type in MUTUAL and want_actors is not None and want_recipients is not None:
        both = actors | recipients == want_actors | want_recipients
        return both, both, _magnitudes(event, signal)
    return (
        None if want_actors is None else actors == want_actors,
        None if want_recipients is None else recipients == want_recipients,
        _magnitudes(event, signal),
    )


def _magnitudes(event: Event, signal: Found) -> bool | None:
    if event.magnitudes is None:
        return None
    return all(any(_is(want, found) for found in signal.magnitudes) for want in event.magnitudes)


def _is(want: float | str | HowMuch, found: FoundMagnitude) -> bool:
    if isinstance(want, str):
        return found.comparator == want
    if isinstance(want, (int, float)):
        return found.value == want
    return found.value == want.value and (want.comparator is None or found.comparator == want.comparator)
