"""Helpers for tests of extraction: run one text, compare in short forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction.lines import Line, as_article

if TYPE_CHECKING:
    from pipeline.extraction.engine import Engine
    from pipeline.records import Article, Signal

Short = tuple[str, str, bool, str, str]


def article(text: str, title: str = "", published: str | None = None, drill: bool = False) -> Article:
    """An article of one outlet."""
    made = as_article(Line(id="test", text=text, title=title, published=published))
    import msgspec

    return msgspec.structs.replace(made, drill=drill)


def signals(
    engine: Engine, text: str, title: str = "", published: str | None = None, drill: bool = False
) -> tuple[Signal, ...]:
    """The signals of one text."""
    return engine.extract([article(text, title, published, drill)])[0].signals


def codes(parties) -> str:
    """Codes of parties in order, joined by spaces."""
    return " ".join(sorted(party.code for party in parties))


def short(signal: Signal) -> Short:
    """Type, modality, active, actors, recipients; of talks and ceasefires all parties are actors: they are mutual."""
    actors, recipients = signal.actors, signal.recipients
    if signal.event_type in {"talks", "ceasefire"}:
        actors, recipients = (*actors, *recipients), ()
    return (str(signal.event_type), str(signal.modality), signal.active, codes(actors), codes(recipients))


def found(engine: Engine, text: str, **more) -> list[Short]:
    """The signals of one text in short form, sorted."""
    return sorted(short(signal) for signal in signals(engine, text, **more))
