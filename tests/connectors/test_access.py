"""Access blocks: what they send, to whom, and to nobody else; TLS; proxies."""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import trustme
from loopback import NETWORKS
from names import loopback
from rawserver import PLAYS, RawServer, proxy, raw

from config.ways import Way
from connectors.fetch import Fetcher, Limits
from connectors.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from feedserver import FeedServer

LIMITS = Limits(total_s=3.0, connect_s=1.0)
SECRET = "open-sesame"


def fetching(*names: str) -> Fetcher:
    """A fetcher that finds loopback under some names."""
    return Fetcher("test", LIMITS, allowed=NETWORKS, resolver=loopback("wire.example", "localhost", *names))


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file of a secret."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


Kept = "Callable[[str, str], Path]"


async def test_what_a_block_sends(server: FeedServer, kept: Kept):
    """User and password, a token, or headers of one's own, as the files say now."""
    ways = [
        Way("basic", username="desk", password_file=kept("password", f"{SECRET}\n")),
        Way("bearer", bearer_file=kept("token", SECRET), header_file=kept("headers", "X-Key: a b\nX-Client: desk\n")),
    ]
    async with fetching() as fetcher:
        for way in ways:
            assert (await fetcher.fetch(server.url("/feed"), way=way)).outcome is Outcome.OK
        kept("token", "another")
        await fetcher.fetch(server.url("/feed"), way=ways[1])
    basic, bearer, changed = (headers for _, headers in server.requests)
    assert basic["Authorization"] == f"Basic {b64encode(f'desk:{SECRET}'.encode()).decode()}"
    assert (bearer["Authorization"], bearer["X-Key"], bearer["X-Client"]) == (f"Bearer {SECRET}", "a b", "desk")
    assert changed["Authorization"] == "Bearer another"


@pytest.mark.parametrize("host", ["localhost", "wire.example"])
async def test_secrets_stay_at_their_origin(server: FeedServer, kept: Kept, host: str):
    """A redirect to another host, or another port of the same, takes no secret along; back at home it counts again."""
    way = Way("bearer", bearer_file=kept("token", SECRET), header_file=kept("headers", f"X-Key: {SECRET}\n"))
    there = f"http://{host}:{server.port}/feed"
    async with fetching() as fetcher, raw(PLAYS) as other:
        await fetcher.fetch(server.url(f"/away?to={quote(there)}"), way=way)
        await fetcher.fetch(server.url(f"/away?to={quote(other.url('/feed'))}"), way=way)
        await fetcher.fetch(server.url(f"/away?to={quote(server.url('/feed?home'))}"), way=way)
    sent = [(path, SECRET in str(headers)) for path, headers in server.requests]
    assert sent == [("/away", True), ("/feed", False), ("/away", True), ("/away", True), ("/feed", True)]
    assert [SECRET.encode() in asked for asked in other.asked] == [False]


@pytest.mark.parametrize(
    ("key", "content", "why"),
    [
        ("password_file", None, "No such file"),
        ("bearer_file", None, "No such file"),
        ("bearer_file", f"{SECRET}\nInjected: yes", "not one line"),
        ("bearer_file", "", "not one line"),
        ("bearer_file", f"{SECRET}é", "a token is ASCII"),
        ("header_file", f"Host: {SECRET}", "line 1"),
        ("header_file", f"X-Key {SECRET}", "line 1"),
        ("header_file", "X-Key: a\n" * 21, "line 21"),
        ("header_file", "x" * 70_000, "larger than"),
        ("cafile", "no certificate", "cafile"),
        ("certfile", None, "certfile"),
    ],
)
async def test_a_block_that_cant_be_used(server: FeedServer, tmp_path: Path, key: str, content: str | None, why: str):
    """Nothing is asked without what should be sent; the outcome says which file, and nothing of what is in it."""
    path = tmp_path / key
    if content is not None:
        path.write_text(content)
    way = Way("desk", username="desk", **{key: path})
    async with fetching() as fetcher:
        fetched = await fetcher.fetch(server.url("/feed"), way=way)
    assert fetched.outcome is Outcome.NO_ACCESS
    assert "access desk" in fetched.error
    assert str(path) in fetched.error
    assert why in fetched.error
    assert "sesame" not in fetched.error
    assert not server.requests


async def test_a_block_shows_no_secret(kept: Kept):
    """What stands in a log of a feed is which files it reads."""
    way = Way("desk", username="desk", password_file=kept("password", SECRET))
    assert SECRET not in repr(way)


class Authority:
    """A CA, and servers' contexts of its certificates."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.cafile = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(self.cafile)

    def server(self, *names: str, ago: timedelta | None = None, ask: bool = False) -> ssl.SSLContext:
        """Of a server; ``ago``: since when its certificate is no longer valid; ``ask``: whether it wants ours."""
        until = datetime.now(UTC) - ago if ago else None
        cert = self.ca.issue_cert(*names, not_after=until)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        cert.configure_cert(context)
        if ask:
            self.ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Made once: keys take their time."""
    return Authority(tmp_path_factory.mktemp("ca"))


async def tls(server: RawServer, authority: Authority | None, host: str = "wire.example") -> Outcome:
    """The outcome of asking a server over TLS, with the CA where one is given."""
    way = Way("tls", cafile=authority.cafile) if authority else None
    async with fetching() as fetcher:
        fetched = await fetcher.fetch(server.url("/feed", host, "https"), way=way)
    assert fetched.outcome is Outcome.OK or fetched.error
    return fetched.outcome


async def test_certificates_are_checked(authority: Authority):
    """Good is good; expired, for another host, and of an unknown CA are one outcome, and nothing is asked."""
    async with raw(PLAYS, authority.server("wire.example")) as server:
        assert await tls(server, authority) is Outcome.OK
        assert await tls(server, authority, "localhost") is Outcome.TLS_ERROR
        assert await tls(server, None) is Outcome.TLS_ERROR
    async with raw(PLAYS, authority.server("wire.example", ago=timedelta(days=1))) as expired:
        assert await tls(expired, authority) is Outcome.TLS_ERROR
    assert (len(server.asked), expired.asked) == (1, [])


async def test_http_where_tls_is_spoken(authority: Authority):
    """A wrong scheme is told from a feed; what it looks like depends on what the server says to it."""
    async with raw(PLAYS, authority.server("wire.example")) as server, fetching() as fetcher:
        fetched = await fetcher.fetch(server.url("/feed", "wire.example"))
    assert fetched.outcome in {Outcome.BAD_RESPONSE, Outcome.CONNECT_ERROR}


async def test_a_certificate_of_our_own(authority: Authority, tmp_path: Path):
    """Where a server asks for it, it gets it; another server of the redirect does not; a renewed file is read again."""
    ours = authority.ca.issue_cert("desk.example")
    certfile = tmp_path / "ours.pem"
    certfile.write_text("no certificate yet")
    os.utime(certfile, (1, 1))
    way = Way("tls", cafile=authority.cafile, certfile=certfile)
    async with raw(PLAYS, authority.server("wire.example", ask=True)) as server, fetching() as fetcher:
        url = server.url("/feed", "wire.example", "https")
        without = await fetcher.fetch(url, way=Way("plain", cafile=authority.cafile))
        early = await fetcher.fetch(url, way=way)
        ours.private_key_and_cert_chain_pem.write_to_path(certfile)
        late = await fetcher.fetch(url, way=way)
    assert without.outcome in {Outcome.TLS_ERROR, Outcome.CONNECT_ERROR}
    assert (early.outcome, late.outcome) == (Outcome.NO_ACCESS, Outcome.OK)


async def test_a_proxy_for_all(server: FeedServer):
    """With a proxy nobody but the proxy is connected to, and it looks the names up."""
    async with proxy(server.port) as between:
        address = f"http://127.0.0.1:{between.port}"
        async with Fetcher("test", LIMITS, allowed=NETWORKS, proxy=address) as fetcher:
            fetched = await fetcher.fetch("http://wire.example/feed")
    assert fetched.outcome is Outcome.OK
    assert between.asked[0].startswith(b"GET http://wire.example/feed HTTP/1.1\r\n")


async def test_a_proxys_password_is_the_proxys(authority: Authority, kept: Kept):
    """It is sent to the proxy, in front of the tunnel, and not through it."""
    async with raw(PLAYS, authority.server("wire.example")) as server, proxy(server.port) as between:
        way = Way(
            "out",
            proxy=f"http://127.0.0.1:{between.port}",
            proxy_username="desk",
            proxy_password_file=kept("proxy", SECRET),
            cafile=authority.cafile,
            allow=NETWORKS,
        )
        async with Fetcher("test", LIMITS) as fetcher:
            fetched = await fetcher.fetch("https://wire.example/feed", way=way)
    assert fetched.outcome is Outcome.OK, fetched
    said = f"Basic {b64encode(f'desk:{SECRET}'.encode()).decode()}".encode()
    assert (said in between.asked[0], said in server.asked[0]) == (True, False)
    assert b"Proxy-" not in server.asked[0]


async def test_a_proxy_of_plain_http_is_told_who_asks(server: FeedServer, kept: Kept):
    """Without a tunnel the proxy reads the request itself; `direct` leaves out the proxy that all others have."""
    secret = kept("proxy", SECRET)
    async with proxy(server.port) as between:
        address = f"http://127.0.0.1:{between.port}"
        way = Way("out", proxy=address, proxy_username="desk", proxy_password_file=secret, allow=NETWORKS)
        async with Fetcher("test", LIMITS) as fetcher:
            fetched = await fetcher.fetch("http://wire.example/feed", way=way)
        async with Fetcher("test", LIMITS, proxy=address) as fetcher:
            direct = await fetcher.fetch(server.url("/feed"), way=Way("in", proxy="direct", allow=NETWORKS))
    assert (fetched.outcome, direct.outcome) == (Outcome.OK, Outcome.OK)
    assert [b"Proxy-Authorization: Basic" in asked for asked in between.asked] == [True]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", Outcome.REFUSED),
        (b"HTTP/1.1 503 Nobody there\r\nContent-Length: 0\r\n\r\n", Outcome.CONNECT_ERROR),
    ],
)
async def test_a_proxy_that_refuses(answer: bytes, outcome: Outcome):
    """Who is refused by the proxy is told so; a host that the proxy can't reach is one that can't be reached."""
    async with proxy(1, answer) as between:
        way = Way("out", proxy=f"http://127.0.0.1:{between.port}", allow=NETWORKS)
        async with Fetcher("test", LIMITS) as fetcher:
            fetched = await fetcher.fetch("https://wire.example/feed", way=way)
    assert fetched.outcome is outcome
    assert "proxy" in fetched.error


@pytest.mark.parametrize("address", ["http://169.254.169.254/latest/", "http://0x7f.1/", "http://[::1]/"])
async def test_a_proxy_is_no_way_to_addresses_inside(server: FeedServer, address: str):
    """An address that stands in the URL is refused before the proxy sees it; the proxy's own has to be allowed, too."""
    async with proxy(server.port) as between:
        way = Way("out", proxy=f"http://127.0.0.1:{between.port}")
        async with Fetcher("test", LIMITS) as fetcher:
            inside = await fetcher.fetch(address, way=way)
            outside = await fetcher.fetch("http://wire.example/feed", way=way)
    assert (inside.outcome, outside.outcome) == (Outcome.BLOCKED, Outcome.BLOCKED)
    assert not between.asked
