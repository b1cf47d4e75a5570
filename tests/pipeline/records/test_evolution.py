"""What was released is read for ever: messages of each released version, and the schemas that allowed them."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import msgspec
import pytest
from evolution import refused
from letters import letter, original

from config.alerts import load_alerts
from pipeline.deadletters.letter import read
from pipeline.deadletters.redrive import marks
from pipeline.kafka.message import Message
from pipeline.records import (
    Alert,
    Article,
    DecodeError,
    Dyad,
    EventType,
    Level,
    Modality,
    Polarity,
    Redriven,
    Signal,
    Transition,
    decode,
    encode,
)
from pipeline.records.headers import REDRIVEN, cloudevent, taken_apart
from pipeline.records.schema import RECORDS, schema
from pipeline.records.topics import Topics
from pipeline.scoring.book import Book
from pipeline.transforms.extract import decode_all
from pipeline.transforms.score import readable

GOLDEN = Path(__file__).parent / "golden"
VERSION_1 = GOLDEN / "v1"
KINDS = {"article": Article, "signal": Signal, "alert": Alert, "dyad": Dyad, "redriven": Redriven}
MESSAGES = sorted(p for p in GOLDEN.glob("v*/*.json") if not p.stem.endswith(("headers", "expected")))
RELEASED = sorted(GOLDEN.glob("v*/schemas/*.json"))
ADDED: dict[str, set[str]] = {}
"""By record: what today's writers may write that readers of the last release refuse, as ``refused`` says it.

Each is a decision, with its line in CHANGELOG.md: readers have to be upgraded first, also those of others.
"""


def kind_of(path: Path) -> type:
    return KINDS[path.stem.partition("_")[0]]


def golden(name: str) -> bytes:
    return (VERSION_1 / f"{name}.json").read_bytes()


def covers(found, given, path="$"):
    """Every field of a message as it was written: there, and of the same value, whatever came to it."""
    if isinstance(given, dict):
        for key, value in given.items():
            assert key in found, f"{path}.{key}"
            covers(found[key], value, f"{path}.{key}")
    elif isinstance(given, list):
        assert len(found) == len(given), path
        for number, value in enumerate(given):
            covers(found[number], value, f"{path}[{number}]")
    else:
        assert found == given, path


def names(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", MESSAGES, ids=names)
def test_a_released_message_is_read_with_all_it_says(path):
    """A field that is renamed, dropped or read as something else would be lost without an error."""
    covers(json.loads(encode(decode(path.read_bytes(), kind_of(path)))), json.loads(path.read_bytes()))


def test_every_record_has_a_message_with_all_fields_and_one_with_the_least():
    """Else a field could change its meaning with no message of a release to tell."""
    for name, kind in KINDS.items():
        full = json.loads(golden(name))
        released = json.loads((VERSION_1 / "schemas" / f"{name}.v1.json").read_text(encoding="utf-8"))
        definition = released["$defs"][kind.__name__]
        assert full.keys() == definition["properties"].keys()
        optional = definition["properties"].keys() - set(definition["required"])
        if name not in {"dyad", "redriven"}:  # a dyad's least is the one of an older state; a mark has no options
            assert not optional & json.loads(golden(f"{name}_least")).keys()


def test_what_a_message_leaves_out_means_what_it_meant():
    """Another default would change what messages say that were written long ago."""
    article = decode(golden("article_least"), Article)
    assert (article.minhash, article.drill, article.flow) == ("", False, None)
    assert article.published_at == datetime(2025, 3, 10, 12, tzinfo=UTC)  # of another zone: the same moment
    signal = decode(golden("signal_least"), Signal)
    assert (signal.story, signal.drill, signal.flow, signal.evidence.cues) == ("", False, None, ())
    alert = decode(golden("alert_least"), Alert)
    assert (alert.magnitudes, alert.labels, alert.annotations, alert.muted, alert.drill) == ({}, {}, {}, None, False)
    assert (alert.evidence[0].sources, alert.evidence[0].factors) == (1, {})
    dyad = decode(golden("dyad_state_v1"), Dyad)
    assert (dyad.open_alerts, dyad.drill) == ((), False)


def test_words_mean_what_they_meant():
    """The vocabulary's values, not only their spelling: what counts, what calms, what is over."""
    conditional, truce = decode(golden("signal"), Signal), decode(golden("signal_least"), Signal)
    assert (conditional.event_type, conditional.modality) == (EventType.DEPLOYMENT, Modality.CONDITIONAL)
    assert (truce.event_type, truce.modality) == (EventType.CEASEFIRE, Modality.NEGATED)
    assert (conditional.polarity, truce.polarity) == (Polarity.ESCALATORY, Polarity.DEESCALATORY)
    alert = decode(golden("alert"), Alert)
    assert (alert.transition, alert.level, alert.previous_level) == (Transition.UPDATED, Level.WARNING, Level.WATCH)


def test_headers_of_a_release():
    """A subscriber's filters and `deadletters` read headers, which no schema describes."""
    told = cloudevent(decode(golden("alert"), Alert))
    assert [[key, value.decode()] for key, value in told] == json.loads(golden("alert_headers"))
    original_headers, failure = taken_apart([(k, v.encode()) for k, v in json.loads(golden("deadletter_headers"))])
    assert original_headers == [("origin", b"wire")]
    assert (failure.stage, failure.reason, failure.message[:8]) == ("extract.decode", "schema", "decoding")
    assert (failure.topic, failure.partition, failure.offset) == ("brinkwatch.articles.v1", 2, 7015)


@pytest.mark.parametrize("name", ["dyad", "dyad_state_v1"])
def test_scoring_restarts_from_a_released_state(name):
    """The same score, ids and open alert as the release that wrote it went on with; it ends at the same moment."""
    expected = json.loads(golden("dyad.expected"))
    dyad = decode(golden(name), Dyad)
    book = Book(load_alerts(VERSION_1 / "rules.yaml"))
    book.restore([dyad])
    assert book.dyads()[0].score == dyad.score == expected["score"]
    seen = msgspec.structs.replace(decode(golden("signal"), Signal), signal_id=expected["known"], dyads=("ARV-BRN",))
    assert book.apply("ARV-BRN", seen) == "repeated"
    book.advance(dyad.at + timedelta(hours=12))
    assert book.dyads()[0].score == expected["score_at_02_00"]
    book.advance(dyad.at + timedelta(hours=88))
    (ended,), (told,) = book.drain()[0], expected["alerts"]
    assert (ended.transition, ended.level) == (told["transition"], told["level"])
    assert (ended.alert_id, ended.sequence) == (told["alert_id"], told["sequence"])
    # Weights are rounded anew where a rule's hash is computed in another way: thousandths of a second.
    assert abs(ended.at - datetime.fromisoformat(told["at"])) < timedelta(seconds=1)


def newer(name: str) -> bytes:
    """A message of the next version that would even decode, were its version not looked at."""
    return json.dumps({**json.loads(golden(name)), "schema_version": 2, "novelty": 1}).encode()


def test_a_newer_article_is_a_dead_letter():
    """It is not guessed what a version means that nobody knows here yet: it waits for the upgrade, then is redriven."""
    topics = Topics("t")
    good, bad = decode_all([Message(topics.articles.name, 0, 0, 0, b"k", newer("article"))], topics.deadletter.name)
    assert good == []
    ((_, reason),) = bad
    assert reason == "version"


def test_a_newer_signal_or_alert_is_not_guessed():
    """As above; score and notify take the reason from the same error."""
    with pytest.raises(DecodeError) as error:
        readable(Message("t.signals.v1", 0, 0, 0, b"k", newer("signal")))
    assert error.value.reason == "version"
    for name in ("alert", "dyad"):
        with pytest.raises(DecodeError, match="schema_version 2, this reader knows 1"):
            decode(newer(name), KINDS[name])


def test_a_newer_mark_stops_the_older_command():
    """Taken for nothing, it would have letters sent again that a newer version has sent already."""
    with pytest.raises(DecodeError, match="schema_version 2"):
        read(Message("t.deadletter.v1", 0, 3, 0, None, newer("redriven"), [(REDRIVEN, b"1")]))
    assert read(letter(original(1), 0)) is not None
    assert marks([], "t.deadletter.v1", decode(golden("redriven"), Redriven).at) == []


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_today_reads_what_a_release_allows(path):
    """No field is required that was not, no value dropped, no type narrowed: or old messages become dead letters."""
    name, _, version = path.stem.partition(".")
    if version != "v1":
        pytest.skip("another version is read by a reader of its own")
    assert refused(json.loads(path.read_text(encoding="utf-8")), schema(name)) == []


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_a_release_reads_what_today_writes(path):
    """Subscribers upgrade when they like: a field they need that is gone, or a value they refuse, is a decision."""
    name = path.stem.partition(".")[0]
    released = json.loads(path.read_text(encoding="utf-8"))
    assert set(refused(schema(name), released)) == ADDED.get(name, set())


@pytest.mark.parametrize("path", MESSAGES, ids=names)
def test_released_messages_keep_to_the_released_schemas(path):
    """The schemas below the golden messages are those they were written under."""
    name = path.stem.partition("_")[0]
    released = json.loads((path.parent / "schemas" / f"{name}.v1.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(released).validate(json.loads(path.read_bytes()))


def test_every_record_is_released():
    """A record that is published is held to its release."""
    assert {path.stem.partition(".")[0] for path in RELEASED} == set(RECORDS) == set(KINDS)


def _change(name, *steps):
    """A copy of today's schema of an alert, changed in one place."""
    changed = copy.deepcopy(schema("alert"))
    definitions = changed["$defs"]
    for step in steps:
        step(definitions[name])
    return changed


@pytest.mark.parametrize(
    ("definition", "change"),
    [
        ("Alert", lambda d: d["required"].append("labels")),
        ("Alert", lambda d: d["properties"].update(score={"type": "integer"})),
        ("Alert", lambda d: d["properties"].update(summary={"type": "string", "format": "date"})),
        ("Alert", lambda d: d["properties"].update(summary={"enum": ["a"]})),
        ("Alert", lambda d: d["properties"].update(muted={"type": "string"})),
        ("Alert", lambda d: d["properties"].update(signals={"type": "object", "additionalProperties": False})),
        ("Alert", lambda d: d["properties"].update(evidence={"type": "array", "maxItems": 3})),
        ("AlertEvidence", lambda d: d["properties"].update(trigger_span={"type": "array", "minItems": 3})),
        ("AlertEvidence", lambda d: d["required"].append("factors")),
        ("Modality", lambda d: d["enum"].pop()),
    ],
)
def test_what_breaks_readers_is_found(definition, change):
    """A comparison that finds nothing would prove nothing above."""
    assert refused(schema("alert"), _change(definition, change))


@pytest.mark.parametrize(
    ("definition", "change"),
    [
        ("Alert", lambda d: d["properties"].update(novelty={"type": "string"})),
        ("Alert", lambda d: d["required"].remove("sources")),
        ("Alert", lambda d: d["properties"].update(sources={"type": "number"})),
        ("Alert", lambda d: d["properties"].update(summary={"anyOf": [{"type": "null"}, {"type": "string"}]})),
        ("Modality", lambda d: d["enum"].append("rumoured")),
    ],
)
def test_what_only_adds_is_let_pass(definition, change):
    """Within a version, additions are what the rules allow: a comparison that refuses them would be switched off."""
    assert refused(schema("alert"), _change(definition, change)) == []
