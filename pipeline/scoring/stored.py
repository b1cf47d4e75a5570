"""What is stored of a dyad: how it stands, for people, and the tracks that scoring restarts from."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from config.errors import BrinkwatchError
from pipeline.records import Dyad
from pipeline.scoring.explain import DECIMALS, LEVEL, evidence, moment, trend
from pipeline.scoring.state import STATE_VERSION, DyadState
from pipeline.scoring.tracks import Rules, Tracks

SHOWN_ON_DYAD = 5
_encoder = msgspec.json.Encoder(order="deterministic")


class StateError(BrinkwatchError):
    """A stored dyad from which scoring can't restart."""


class _Version(msgspec.Struct):
    version: int


class _Stored(msgspec.Struct):
    """Version 2: a state for each rule, and which came first. Version 1 was a single state, without its rule's name."""

    version: int
    tracks: dict[str, DyadState]
    first: str


def describe(tracks: Tracks, watched: Rules) -> Dyad:
    """The dyad as it stands on its first track, with all its alerts, and the state to restart from."""
    first = tracks[watched[0].name]
    episodes = [state.episode for state in tracks.values() if state.episode is not None]
    highest = max(episodes, key=lambda episode: episode.level, default=None)
    return Dyad(
        dyad=first.dyad,
        at=moment(first.at),
        score=round(first.score(first.at), DECIMALS),
        baseline=round(first.baseline, DECIMALS),
        level=LEVEL[0 if highest is None else highest.level],
        trend=trend(first),
        history=first.history,
        evidence=evidence(first, SHOWN_ON_DYAD),
        open_alert=None if highest is None else highest.alert_id,
        open_alerts=tuple(sorted(episode.alert_id for episode in episodes)),
        state=msgspec.Raw(_encoder.encode(_Stored(STATE_VERSION, tracks, watched[0].name))),
        drill=first.drill,
    )


def restored(dyad: Dyad) -> Tracks:
    """The tracks that ``describe`` stored, of this version or the one before.

    Raises:
        StateError: They can't be read, are of another version, or of another dyad.
    """
    try:
        version = msgspec.json.decode(dyad.state, type=_Version).version
        if version == 1:
            state = msgspec.json.decode(dyad.state, type=DyadState)
            episode = state.episode and replace(state.episode, announced=True)  # nothing was muted in those days
            tracks = {episode.rule if episode else "": replace(state, version=STATE_VERSION, episode=episode)}
        elif version == STATE_VERSION:
            stored = msgspec.json.decode(dyad.state, type=_Stored)
            tracks = {stored.first: stored.tracks[stored.first], **stored.tracks}
        else:
            raise StateError(_why(dyad, f"a state of version {version}, versions 1 to {STATE_VERSION} are read"))
    except (msgspec.DecodeError, KeyError) as error:
        raise StateError(_why(dyad, str(error))) from None
    if not tracks or any(state.dyad != dyad.dyad for state in tracks.values()):
        raise StateError(_why(dyad, f"a state for {', '.join(sorted({s.dyad for s in tracks.values()})) or 'nobody'}"))
    return tracks


def _why(dyad: Dyad, why: str) -> str:
    return f"restoring the scores failed: dyad {dyad.dyad}: {why}"
