"""The AsyncAPI document describes the topics and messages of the code."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from samples import alert

from config import trace
from pipeline.records.headers import cloudevent
from pipeline.records.topics import Topics

PATH = Path(__file__).parents[3] / "docs" / "reference" / "asyncapi.yaml"
DOCUMENT = yaml.safe_load(PATH.read_text(encoding="utf-8"))


def test_addresses_are_our_topics():
    """A client generated from the document reads topics that exist."""
    names = {topic.name for topic in Topics().all}
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    assert addresses <= names
    assert names - addresses == {"brinkwatch.deadletter.v1"}


def test_every_reference_resolves():
    """Local references point into the document, others at files that exist."""
    for reference in _references(DOCUMENT):
        file, _, pointer = reference.partition("#")
        node = json.loads((PATH.parent / file).read_text(encoding="utf-8")) if file else DOCUMENT
        for part in filter(None, pointer.split("/")):
            node = node[part]


def test_headers_are_those_that_are_sent():
    """Every header that an alert carries is described, that of its trace too, which only some have."""
    described = DOCUMENT["components"]["messages"]["alert"]["headers"]["properties"]
    assert {key for key, _ in cloudevent(alert())} | {trace.HEADER} == set(described)


def _references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
