"""The published schemas are those of the code, and describe what is written."""

from __future__ import annotations

import json

import jsonschema
import pytest
from samples import NOON, alert, article, dyad, signal

from pipeline.records import Redriven, encode
from pipeline.records.schema import FOLDER, RECORDS, schema, text

SAMPLES = {
    "article": article(),
    "signal": signal(),
    "alert": alert(),
    "dyad": dyad(),
    "redriven": Redriven(at=NOON, offsets=(1,)),
}


@pytest.mark.parametrize("name", RECORDS)
def test_published_schema_is_current(name):
    """A change of a record must change its published schema too: `make schemas` writes it."""
    assert (FOLDER / f"{name}.v1.json").read_text(encoding="utf-8") == text(name)


@pytest.mark.parametrize("name", RECORDS)
def test_what_is_written_validates(name):
    """A consumer who validates by the published schema accepts our messages."""
    jsonschema.Draft202012Validator.check_schema(schema(name))
    jsonschema.validate(json.loads(encode(SAMPLES[name])), schema(name))


def test_schema_refuses_another_version():
    """The schema itself says which version it is of."""
    message = {**json.loads(encode(article())), "schema_version": 2}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(message, schema("article"))
