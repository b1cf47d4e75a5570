"""Facts: what a signal says, as labelled lines for a person; the terminal and the page show the same."""

# ruff: noqa: RUF001, RUF002 - typographic quotes and the multiplication sign are the matter here

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline.explain.marks import visible
from pipeline.records import Modality

if TYPE_CHECKING:
    from pipeline.records import Cue, Magnitude, Party, Signal

BY_MODEL = "model"
_LEADS_TO = {
    "negated": {Modality.NEGATED},
    "ceased": {Modality.NEGATED},
    "speculative": {Modality.SPECULATIVE},
    "mulled": {Modality.SPECULATIVE, Modality.CONDITIONAL},
    "planned": {Modality.PLANNED},
    "future": {Modality.PLANNED, Modality.THREATENED},
    "threatened": {Modality.THREATENED},
    "demanded": {Modality.DEMANDED},
    "conditional": {Modality.CONDITIONAL},
    "condition": {Modality.CONDITIONAL},
    "resolve": {Modality.PLANNED, Modality.THREATENED},
    "historical": {Modality.HISTORICAL},
}
"""To which modalities a cue can lead by itself; two negations together leave doubt."""
_HOW = {
    "name": "by name",
    "office": "by office",
    "capital": "by its capital",
    "demonym": "by adjective or people",
    "pronoun": "a pronoun",
    "anaphora": "named before",
    "speaker": "as speaker",
    "implied": "implied",
}
_VAGUE = {"exactly": "", "at_least": "at least ", "up_to": "up to ", "over": "over ", "under": "under ",
          "about": "about "}  # fmt: skip


def headline(signal: Signal) -> str:
    """``deployment × asserted``."""
    return f"{signal.event_type.replace('_', ' ')} × {signal.modality}"


def counts(signal: Signal) -> str:
    """Whether it counts in scores."""
    return "active: it counts" if signal.active else "inactive: it does not count"


def facts(signal: Signal) -> Iterator[tuple[str, str]]:
    """What the signal says beside type and modality: label and text, only what there is."""
    named = signal.actors or signal.recipients
    yield "who", f"{parties(signal.actors)} → {parties(signal.recipients)}" if named else "nobody named"
    if signal.magnitudes:
        yield "how many", "; ".join(map(_magnitude, signal.magnitudes))
    if signal.location:
        code = f" ({visible(signal.location.code)})" if signal.location.code else ""
        yield "where", visible(signal.location.text) + code
    if signal.condition:
        yield "condition", f"“{visible(signal.condition)}”"
    if signal.attribution:
        code = f" ({visible(signal.attribution.code)})" if signal.attribution.code else ""
        quoted = ", in a quotation" if signal.attribution.quoted else ""
        yield "said by", visible(signal.attribution.speaker) + code + quoted
    if signal.reported_by:
        yield "outlet", visible(signal.reported_by)
    yield "modality", why_modality(signal)
    yield "severity", severity(signal)
    yield "confidence", confidence(signal)


def parties(found: Sequence[Party]) -> str:
    """``Karvenia (XKV, by name)``."""
    return ", ".join(f"{visible(p.text)} ({visible(p.code)}, {how(p)})" for p in found) or "nobody named"


def how(party: Party) -> str:
    """How its words became its code."""
    return visible(_HOW.get(party.resolved_by, party.resolved_by))


def _magnitude(one: Magnitude) -> str:
    if one.value is None:
        return f"“{visible(one.text)}” = {visible(one.comparator.replace('_', ' '))} {visible(one.unit)}".rstrip()
    vague = _VAGUE.get(one.comparator, f"{one.comparator.replace('_', ' ')} ")
    return f"“{visible(one.text)}” = {visible(vague)}{one.value:,g} {visible(one.unit)}".rstrip()


def deciding(signal: Signal) -> tuple[Cue, ...]:
    """The cues that decided the modality; none where it is told as a fact.

    The sentence model's, which is there only where it overruled the words; else the innermost that leads to it by
    itself; else two negations, which together leave doubt.
    """
    cues = signal.evidence.cues
    model = [cue for cue in cues if cue.decides == BY_MODEL]
    own = [cue for cue in cues if signal.modality in _LEADS_TO.get(cue.decides, set())]
    if model or own:
        return ((model or own)[0],)
    negations = tuple(cue for cue in cues if cue.decides in {"negated", "ceased"})
    return negations[:2] if signal.modality is Modality.SPECULATIVE and len(negations) > 1 else ()


def why_modality(signal: Signal) -> str:
    """``“ruled out” decides: negated; also heard: “could” (speculative)``."""
    decided = deciding(signal)
    others = [cue for cue in signal.evidence.cues if cue not in decided]
    if decided:
        said = " and ".join(map(_cue, decided))
        begin = f"{said} decide{'' if len(decided) > 1 else 's'}: {signal.modality}"
    elif signal.modality is Modality.ASSERTED:
        begin = "no cue changes it: told as a fact"
    else:
        begin = f"{signal.modality}, by the sentence as a whole"
    return begin + ("; also heard: " + ", ".join(f"{_cue(cue)} ({cue.decides})" for cue in others) if others else "")


def _cue(cue: Cue) -> str:
    words = f"“{visible(cue.text)}”"
    if cue.decides != BY_MODEL:
        return words
    return f"the sentence model, by {words}," if cue.text else "the sentence model"


def severity(signal: Signal) -> str:
    """``6.5 × magnitude 1.39 = +9.04 (MOBILIZE/troops)``: base, factors other than 1, and what they make."""
    weight = signal.severity
    factors = "".join(f" × {visible(name)} {value:g}" for name, value in weight.factors.items() if value != 1)
    made = f"{weight.base:g}{factors} = " if factors else ""
    return f"{made}{weight.score:+.2f} ({visible(weight.plover)})"


def confidence(signal: Signal) -> str:
    """``0.90; adds 0.90 × +9.04 = +8.14 to XBM-XKV``."""
    if not signal.active:
        return f"{signal.confidence:.2f}; adds nothing to a score"
    if not signal.dyads:
        return f"{signal.confidence:.2f}; names nobody, so it adds to no score"
    dyads = visible(", ".join(signal.dyads))
    added = signal.severity.score * signal.confidence
    return f"{signal.confidence:.2f}; {signal.confidence:.2f} × {signal.severity.score:+.2f} = {added:+.2f} for {dyads}"
