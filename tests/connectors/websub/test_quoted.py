"""What of a hub's words may stand in a log."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from aiohttp import web

from config.feeds import Feed
from config.networks import networks
from connectors.websub.discovery import Found
from connectors.websub.hub import HubClient
from connectors.websub.quoted import quoted
from connectors.websub.store import SubscriptionStore
from connectors.websub.subscriber import Subscriber

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "q7Zk-Rw_9fT2sLx0VbN4yHcJ8mPdAeUgXoIi5r3B1tE"
CALLBACK = f"https://news.example/websub/{TOKEN}"
FORMS = {
    "as it is": CALLBACK,
    "encoded": quote(CALLBACK, safe=""),
    "encoded twice": quote(quote(CALLBACK, safe=""), safe=""),
    "all of it encoded": "".join(f"%{ord(one):02X}" for one in CALLBACK),
    "in small letters": CALLBACK.lower(),
    "as JSON": json.dumps({"hub.callback": CALLBACK}),
    "marked up": f"<p>{CALLBACK[:40]}<b>{CALLBACK[40:]}</b></p>",
    "in lines": f"{CALLBACK[:45]}\r\n{CALLBACK[45:]}",
    "broken off": CALLBACK[:-20],
    "where it is cut": "x" * (199 - len(CALLBACK[:45])) + " " + CALLBACK,
    "behind a long beginning": " " * 600 + "<br>" * 50 + CALLBACK,
}


def told(text: str) -> bool:
    """Whether nine characters of the token in a row stand in a text, in whatever spelling."""
    plain = re.sub(r"%(?:25)*([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), text, flags=re.IGNORECASE)
    plain = plain.replace(" ", "").lower()
    return any(TOKEN[at : at + 9].lower() in plain for at in range(len(TOKEN) - 8))


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_hidden_in_whatever_form(form: str):
    """A hub quotes what it was sent as it likes, and may be cut anywhere; what else it says stays."""
    assert told(FORMS[form])
    said = quoted(f"HTTP 400 no answer from {FORMS[form]}", TOKEN)
    assert not told(said)
    assert said.startswith("HTTP 400 no answer from")
    assert len(said) <= 200


def test_other_words_stay():
    """Where nothing is quoted, what a hub says is what stands in the log."""
    assert quoted("HTTP 500 the queue is full", TOKEN, "") == "HTTP 500 the queue is full"


async def test_what_a_hub_quotes_is_neither_logged_nor_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """A hub that refuses and denies with all that it was sent: the log and the reason have neither path nor secret."""

    async def answer(request: web.BaseRequest) -> web.Response:
        form = await request.post()
        return web.Response(status=400, text=f"no answer from {form['hub.callback']} (secret {form['hub.secret']})")

    feed = Feed("wire", "http://wire.example/feed")
    with SubscriptionStore(tmp_path) as store:
        subscriber = Subscriber("https://news.example/websub", store)
        subscriber.follow([feed])
        async with HubClient("test", networks("127.0.0.1/32")) as client:
            runner = web.ServerRunner(web.Server(answer, access_log=None))
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            hub = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            subscriber._make(feed, Found(feed.url, (hub,), feed.url), hub)
            (one,) = store.all()
            form = subscriber.asking(one)
            assert form is not None
            refused = await client.ask(hub, form)
            await runner.cleanup()
        reasons = [refused.error]
        with caplog.at_level("INFO"):
            subscriber.refused(one, refused.error, 0.0)
            reasons += [each.reason for each in store.all()]
            said = f"{quote(one.callback, safe='')} {one.secret}"
            subscriber.confirm(one.token, {"hub.mode": "denied", "hub.topic": one.topic, "hub.reason": said})
            reasons += [each.reason for each in store.all()]
    assert [bool(reason) for reason in reasons] == [True, True, True]
    for secret in (one.token, one.secret):
        assert secret[:9] not in caplog.text + " ".join(reasons)
