"""Pieces of a sentence: nothing lost, nothing twice, whatever spans come."""

import msgspec
import samples
from hypothesis import given
from hypothesis import strategies as st

from pipeline.explain.marks import Role, pieces, visible
from pipeline.extraction.sentences import Sentence
from pipeline.records import Cue, Magnitude, Party, Place

TEXT = samples.SENTENCE
SPAN = st.tuples(st.integers(-5, len(TEXT) + 15), st.integers(-5, len(TEXT) + 15))


def _sentence(text: str = TEXT, start: int = 0) -> Sentence:
    return Sentence("text", 1, start, start + len(text), text)


def _signal(**changes):
    evidence = {key: changes.pop(key) for key in ("cues", "trigger_span") if key in changes}
    signal = samples.signal(**changes)
    return msgspec.structs.replace(signal, evidence=msgspec.structs.replace(signal.evidence, **evidence))


def test_each_role_is_marked():
    """Trigger with number, type and modality; parties with their codes; what has words only is found."""
    signal = _signal(location=Place(text="the border"), condition="with Brenn")
    found = {
        (p.text, p.mark.role, p.mark.label) for p in pieces(_sentence(), [signal], {signal.signal_id: 3}) if p.mark
    }
    assert found == {
        ("moved", Role.TRIGGER, "3 deployment, asserted"),
        ("Arvia", Role.ACTOR, "RUS"),
        ("Brenn", Role.RECIPIENT, "UKR"),
        ("the border", Role.PLACE, ""),
        ("with", Role.CONDITION, ""),
    }


def test_two_roles_of_one_word():
    """An actor of one signal that is recipient of another shows as actor; what a cue does twice is written together."""
    both = _signal(recipients=(Party(text="Arvia", code="RUS", span=(0, 5), resolved_by="name"),), actors=())
    cues = tuple(Cue(text="to", decides=turn, span=(25, 27)) for turn in ("planned", "negated"))
    found = pieces(_sentence(), [_signal(cues=cues), both], {})
    assert [p.mark.role for p in found if p.text == "Arvia"] == [Role.ACTOR]
    assert [p.mark.label for p in found if p.mark and p.mark.role is Role.CUE] == ["planned, negated"]


@given(trigger=SPAN, cue=SPAN, actor=SPAN, number=SPAN, start=st.integers(0, 10))
def test_pieces_are_the_sentence(trigger, cue, actor, number, start):
    """Whatever spans a signal has, also crossing, empty, backward or outside, the pieces joined are the sentence."""
    signal = _signal(
        trigger_span=trigger,
        cues=(Cue(text="x", decides="model", span=None), Cue(text="y", decides="planned", span=cue)),
        actors=(Party(text="A", code="A", span=actor, resolved_by="name"),),
        magnitudes=(Magnitude(value=1.0, comparator="about", unit="troops", text="one", span=number),),
    )
    found = pieces(_sentence(start=start), [signal, signal], {})
    assert "".join(piece.text for piece in found) == TEXT


def test_what_can_not_be_seen():
    """Escapes, bells, direction marks and half surrogates become spaces, one for one, so that spans still fit."""
    hostile = "a\x1b[31mb\x07\u202ec\u200bd\ud800e"
    assert visible(hostile) == "a [31mb  c d e"
    assert len(visible(hostile)) == len(hostile)
