"""Counting: small rows whose figures are known by hand."""

import msgspec
import pytest

from pipeline.evaluation.count import WITHOUT, Figures, Share, score
from pipeline.evaluation.labels import Scheme, label
from pipeline.evaluation.match import match
from pipeline.evaluation.report import as_json, lines
from pipeline.evaluation.rows import Found, Gold, RowError
from pipeline.records import EventType, Modality


def _gold(name: str, *events: dict, **more) -> Gold:
    return msgspec.convert({"id": name, "events": events, **more}, Gold)


def _found(kind: str, modality: str, *, active: bool = True, **more) -> Found:
    return msgspec.convert({"event_type": kind, "modality": modality, "active": active, **more}, Found)


def test_hits_false_alarms_and_misses():
    """A name counts once a row; precision, recall and F1 follow; the macro average leaves out names of few rows."""
    rows = [_gold(str(n), {"event_type": "force", "modality": "asserted"}) for n in range(5)]
    rows.append(_gold("talks", {"event_type": "talks"}))
    found = {str(n): (_found("force", "asserted"),) * 2 for n in range(4)} | {"4": (_found("sanction", "asserted"),)}
    figures, wrong = score(rows, {**found, "talks": ()}, Scheme.TYPES)
    assert figures.names == {"force": Figures(4, 0, 1), "sanction": Figures(0, 1, 0), "talks": Figures(0, 0, 1)}
    assert (figures.micro.precision, round(figures.micro.recall, 3)) == (0.8, 0.667)
    assert figures.macro_f1 == figures.names["force"].f1 == pytest.approx(8 / 9)
    assert figures.anything == Figures(5, 0, 1)
    assert [(row.id, match.wrong) for row, match in wrong] == [
        ("4", ("missed: force", "not there: sanction")),
        ("talks", ("missed: talks",)),
    ]


def test_modality_leak_and_alarms():
    """Confusion over events found; what is denied and yet counts has leaked; alarms only where a signal counts."""
    rows = [
        _gold("1", {"event_type": "force", "modality": "negated"}),
        _gold("2", {"event_type": "force", "modality": "historical"}),
        _gold("3", negative_type="sport"),
        _gold("4"),
        _gold("5", ambiguous=True),
    ]
    found = {
        "1": (_found("force", "asserted"),),
        "2": (_found("force", "historical", active=False), _found("talks", "asserted")),
        "3": (_found("force", "speculative", active=False),),
        "4": (_found("force", "asserted"),),
        "5": (_found("force", "asserted"),),
    }
    figures, _ = score(rows, found, Scheme.TYPES)
    assert figures.rows == 4
    assert figures.confusion == {("negated", "asserted"): 1, ("historical", "historical"): 1}
    assert figures.modality == Share(1, 2)
    assert figures.leak == Share(1, 2)
    assert figures.alarms == {WITHOUT: Share(1, 2), "sport": Share(0, 1)}


def test_who_and_how_many():
    """Judged where labelled, on the signal that fits best; parties of talks are each other's."""
    event = {"event_type": "deployment", "modality": "asserted", "actors": ["RUS"], "magnitudes": [8000, "dozens"]}
    right = _found(
        "deployment", "asserted", actors=[{"code": "RUS"}], magnitudes=[{"value": 8000.0}, {"comparator": "dozens"}]
    )
    other = _found("deployment", "planned", actors=[{"code": "USA"}])
    (judged,) = match(_gold("1", event), [other, right], Scheme.TYPES).events
    assert (judged.actors, judged.recipients, judged.magnitudes) == (True, None, True)
    (judged,) = match(_gold("1", event), [other], Scheme.TYPES).events
    assert (judged.modality, judged.actors, judged.magnitudes) == (False, False, False)
    talks = {"event_type": "talks", "actors": ["USA"], "recipients": ["CHN"]}
    turned = _found("talks", "planned", actors=[{"code": "CHN"}, {"code": "USA"}])
    (judged,) = match(_gold("1", talks), [turned], Scheme.TYPES).events
    assert (judged.actors, judged.recipients) == (True, True)


def test_every_type_has_a_category_in_every_modality():
    """No signal falls between the names, whichever a file uses; only force and sanctions tell threats apart."""
    for kind in EventType:
        assert label(kind, Modality.ASSERTED, Scheme.TYPES) == kind
        several = {label(kind, modality, Scheme.CATEGORIES) for modality in Modality}
        assert len(several) == (2 if kind in {EventType.FORCE, EventType.SANCTION} else 1)


def test_a_row_without_prediction_is_named():
    """Predictions of another file are no zero: they are an error."""
    with pytest.raises(RowError, match="1 labelled rows have no prediction, first: b"):
        score([_gold("a"), _gold("b")], {"a": ()}, Scheme.TYPES)


def test_report_of_nothing():
    """Rows without any event, and nothing found: figures of nothing are 0, and the tables still stand."""
    figures, wrong = score([_gold("a")], {"a": ()}, Scheme.TYPES)
    assert not wrong
    assert as_json(figures)["macro_f1"] == 0
    assert max(map(len, lines(figures))) <= 80
