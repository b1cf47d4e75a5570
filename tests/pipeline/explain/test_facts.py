"""Facts of a signal: which cue decided, how severity multiplies, and how the model's opinion shows."""

# ruff: noqa: RUF001 - typographic marks are the matter here

import math

import msgspec
import pytest
import samples
from extraction_support import signals

from pipeline.explain.facts import deciding, facts, severity, why_modality
from pipeline.records import Cue, Modality


def _with(modality: Modality, *cues: tuple[str, str]):
    signal = samples.signal(modality=modality)
    told = tuple(Cue(text=text, decides=turn, span=None) for text, turn in cues)
    return msgspec.structs.replace(signal, evidence=msgspec.structs.replace(signal.evidence, cues=told))


@pytest.mark.parametrize(
    ("modality", "cues", "said"),
    [
        (Modality.ASSERTED, [], "no cue changes it: told as a fact"),
        (Modality.NEGATED, [("ruled out", "negated")], "“ruled out” decides: negated"),
        (
            Modality.SPECULATIVE,
            [("refused", "negated"), ("ruled out", "negated")],
            "“refused” and “ruled out” decide: speculative",
        ),
        (
            Modality.THREATENED,
            [("will", "future"), ("warned", "demanded")],
            "“will” decides: threatened; also heard: “warned” (demanded)",
        ),
        (Modality.PLANNED, [("", "model")], "the sentence model decides: planned"),
        (
            Modality.PLANNED,
            [("to", "planned"), ("set", "model")],
            "the sentence model, by “set”, decides: planned; also heard: “to” (planned)",
        ),
        (Modality.HISTORICAL, [], "historical, by the sentence as a whole"),
    ],
)
def test_what_decided(modality, cues, said):
    """The innermost cue that leads there; two negations; the model where it overruled; else none is invented."""
    assert why_modality(_with(modality, *cues)) == said


def test_cues_of_the_engine_are_known(engine):
    """Every cue that the engine gives for these leads to its modality: none is told without its reason."""
    for text in (
        "Spain ruled out sending troops to Mali.",
        "Turkey threatened to attack Greece.",
        "Kenya would send troops if Eritrea invades.",
        "The UN called for a ceasefire.",
        "Lithuania warned that Russia could attack Poland.",
        "Australia will send 400 soldiers to Fiji.",
        "In 1982 Argentina invaded the islands.",
    ):
        for signal in signals(engine, text):
            assert deciding(signal) or signal.modality is Modality.ASSERTED, text


def test_severity_multiplies_out(engine):
    """Base and factors as written make the score as written, to its two places."""
    (signal,) = signals(engine, "Australia will send 400 soldiers to Fiji.")
    weight = signal.severity
    assert math.isclose(weight.base * math.prod(weight.factors.values()), weight.score, abs_tol=0.001)
    assert severity(signal) == "6.5 × modality 0.6 × magnitude 1.26 = +4.91 (MOBILIZE/troops)"


def test_nobody_named_and_inactive():
    """No parties, no dyads, not active: said in words, not as an empty arrow or a sum of nothing."""
    told = dict(facts(samples.signal(actors=(), recipients=(), dyads=())))
    assert told["who"] == "nobody named"
    assert "adds to no score" in told["confidence"]
    assert "adds nothing" in dict(facts(samples.signal(active=False)))["confidence"]
