"""For how long an answer is fresh."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from multidict import CIMultiDict

from connectors.freshness import MAX_FRESH_S, fresh_s

NOW = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
DATE = "Mon, 02 Nov 2026 10:00:00 GMT"
LATER = "Mon, 02 Nov 2026 10:10:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"cache-control": "max-age=600"}, 600),
        ({"Cache-Control": "public, MAX-AGE = 600 , must-revalidate"}, 600),
        ({"Cache-Control": 'max-age="600"'}, 600),
        ({"Cache-Control": "max-age=600", "Age": "100"}, 500),
        ({"Cache-Control": "max-age=600", "Age": "9999"}, 0),
        ({"Cache-Control": "max-age=600", "Age": "-9999"}, 600),
        ({"Cache-Control": "s-maxage=600"}, 0),
        ({"Cache-Control": "s-maxage=600", "Expires": LATER, "Date": DATE}, 600),
        ({"Cache-Control": "max-age=60, s-maxage=600"}, 60),
        ({"Cache-Control": "max-age=60, max-age=600"}, 60),
        ({"Cache-Control": "max-age=600, no-cache"}, 0),
        ({"Cache-Control": "no-store", "Expires": LATER}, 0),
        ({"Cache-Control": "max-age=60", "Expires": LATER, "Date": DATE}, 60),
        ({"Cache-Control": "max-age=99999999999999999999999"}, MAX_FRESH_S),
        ({"Cache-Control": "max-age=-5"}, 0),
        ({"Cache-Control": "max-age=1e9"}, 0),
        ({"Cache-Control": "max-age=٦٠٠"}, 0),
        ({"Cache-Control": "max-age"}, 0),
        ({"Cache-Control": "," * 100_000 + "max-age=600"}, 0),
        ({"Expires": LATER, "Date": DATE}, 600),
        ({"Expires": LATER}, 600),
        ({"Expires": DATE, "Date": LATER}, 0),
        ({"Expires": "0"}, 0),
        ({"Expires": "Mon, 02 Nov 9999 10:10:00 GMT", "Date": DATE}, MAX_FRESH_S),
        ({"Expires": LATER, "Date": "soon"}, 600),
        ({"Expires": "Mon, 99 Nov 99999 10:05:00 GMT"}, 0),
    ],
)
def test_freshness(headers: dict[str, str], seconds: float):
    """What a publisher says of its answer's freshness is followed; nonsense says nothing, nothing silences a feed."""
    assert fresh_s(CIMultiDict(headers), NOW) == seconds
