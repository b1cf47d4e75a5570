"""One POST over real HTTP: every ending is an answer, and no secret shows."""

from __future__ import annotations

import pytest
from hookserver import HookServer, Play

from config.endpoints import Endpoint
from pipeline.notify.request import Request
from pipeline.notify.retry import Ending
from pipeline.notify.sender import Sender

REQUEST = Request(b"{}", headers={"webhook-id": "1"})


async def post(play: Play, *, path: str = "/T0/token", is_secret: bool = True, timeout_s: float = 20):
    with HookServer(play) as server:
        async with Sender() as sender:
            answer = await sender.post(Endpoint(server.url + path, is_secret), REQUEST, timeout_s)
        return answer, server.got


@pytest.mark.parametrize(
    ("play", "ending"),
    [
        (Play(200), Ending.OK),
        (Play(307, {"Location": "http://127.0.0.1:1/"}), Ending.REFUSED),
        (Play(400), Ending.REFUSED),
        (Play(503), Ending.SERVER_ERROR),
        (Play(reset=True), Ending.CONNECT_ERROR),
    ],
)
async def test_endings(play, ending):
    """Whatever a server does is one of the endings; a redirect is not followed with a signed body."""
    answer, got = await post(play)
    assert answer.ending is ending
    assert (got[0].path, got[0].body, got[0].headers["webhook-id"]) == ("/T0/token", b"{}", "1")


async def test_silence_is_a_timeout():
    """A server that takes the request and says nothing holds nobody up for long."""
    answer, _ = await post(Play(hang=True), timeout_s=0.3)
    assert answer.ending is Ending.TIMEOUT


async def test_nobody_there():
    """A refused connection says so, without the address."""
    async with Sender() as sender:
        answer = await sender.post(Endpoint("http://127.0.0.1:1/T0/token"), REQUEST, 20)
    assert answer.ending is Ending.CONNECT_ERROR
    assert "token" not in answer.detail


async def test_retry_after_is_read():
    """Seconds that the receiver asks for reach the decision."""
    answer, _ = await post(Play(429, {"Retry-After": "7"}))
    assert (answer.ending, answer.retry_after_s) == (Ending.RATE_LIMITED, 7)


async def test_a_secret_address_is_not_repeated():
    """An error page that repeats the path must not carry a token into log and dead letter; else its words help."""
    page = Play(404, body=b"Cannot POST /T0/token\x1b[31m")
    assert (await post(page))[0].detail == "HTTP 404"
    assert (await post(page, is_secret=False))[0].detail == "HTTP 404: Cannot POST /T0/token [31m"


async def test_an_address_is_sent_as_it_is():
    """Quoting a signed address anew would break it."""
    _, got = await post(Play(), path="/a%2Fb?sig=x%2By%3D")
    assert got[0].path == "/a%2Fb?sig=x%2By%3D"
