"""A subscriber, a hub and a feed, each with sockets of its own."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import hub as hubs
import pytest
from subscribing import live, until, value

from config.feeds import Feed
from connectors.websub import pushes, subscriber
from connectors.websub.subscription import Terms

if TYPE_CHECKING:
    from pathlib import Path

    from hub import Hub


def feed(hub: Hub, interval_s: float = 3600.0, host: str = "127.0.0.1") -> Feed:
    """The hub's feed, which is polled once and then, by itself, for an hour no more."""
    return Feed(id="wire", url=hub.url("/feed").replace("127.0.0.1", host), interval_s=interval_s)


async def test_a_push_is_an_article(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """A feed is polled, its hub asked and answered; what it pushes is sent once, what was polled not again."""
    async with live(tmp_path, [feed(hub)], unused_tcp_port) as run:
        await until(lambda: hub.confirmed)
        known = run.poller.state(feed(hub))
        hub.body = hubs.rss(2, 3, 4)
        first, second = await hub.push(), await hub.push(method="sha512")
        await until(lambda: len(run.delivery.titles) == 4)
        assert run.poller.state(feed(hub)) == known
    form = hub.asked[0]
    assert (first, second) == (200, 200)
    assert len(run.delivery.titles) == len(set(run.delivery.titles)) == 4
    assert run.polls["wire"] == hub.polls == 1
    assert form["hub.topic"] == feed(hub).url
    assert len(form["hub.secret"]) >= 32
    assert len(form["hub.callback"].rpartition("/")[2]) >= 32
    assert hub.verdicts[0] == (200, hub.challenge)


async def test_what_is_not_signed_with_our_secret_is_dropped(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """A wrong signature, a missing one, one of another body: each answered as if it were taken, none read."""
    async with live(tmp_path, [feed(hub)], unused_tcp_port) as run:
        await until(lambda: hub.confirmed)
        secret = hub.asked[0]["hub.secret"]
        before = {name: value("pushes_total", outcome=name) for name in ("forged", "unsigned", "delivered")}
        body = hubs.rss(66)
        statuses = [
            await hub.push(body, X_Hub_Signature=hubs.signed("guessed", body)),
            await hub.push(body, X_Hub_Signature=hubs.signed(secret, hubs.rss(1))),
            await hub.push(body, X_Hub_Signature=hubs.signed(secret, body).replace("sha256", "md5")),
            await hub.push(body, method=""),
        ]
        after = {name: value("pushes_total", outcome=name) - count for name, count in before.items()}
        titles = len(run.delivery.titles)
    assert statuses == [202, 202, 202, 202]
    assert after == {"forged": 2, "unsigned": 2, "delivered": 0}
    assert titles == 3


async def test_only_what_was_asked_for_is_confirmed(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """A verification of another topic, of another mode, without a challenge, under another path: 404 each."""
    hub.verifies = False
    async with live(tmp_path, [feed(hub)], unused_tcp_port):
        await until(lambda: hub.asked)
        form = hub.asked[0]
        elsewhere = form["hub.callback"].rpartition("/")[0] + "/" + "A" * 43
        answers = [
            await hub.verify(form, **{"hub.topic": "https://other.example/feed"}),
            await hub.verify(form, **{"hub.mode": "unsubscribe"}),
            await hub.verify(form, **{"hub.challenge": ""}),
            await hub.verify({**form, "hub.callback": elsewhere}),
            await hub.verify(form),
        ]
    assert [status for status, _ in answers] == [404, 404, 404, 404, 200]
    assert answers[-1][1] == hub.challenge


async def test_a_lease_is_renewed_before_it_ends(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """Of a hub that grants seconds the subscription is asked for again and again, under the same callback."""
    hub.lease_s = 1
    async with live(tmp_path, [feed(hub)], unused_tcp_port) as run:
        await until(lambda: len(hub.verdicts) >= 4)
        await until(lambda: value("subscriptions", state="verified") == 1)
        hub.body = hubs.rss(9)
        assert await hub.push() == 200
        await until(lambda: len(run.delivery.titles) == 4)
    assert len({(form["hub.callback"], form["hub.secret"]) for form in hub.asked}) == 1


async def test_a_subscription_outlives_the_process(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """After a restart pushes are taken at once, though neither the feed nor the hub was asked anything."""
    async with live(tmp_path, [feed(hub)], unused_tcp_port):
        await until(lambda: hub.confirmed)
    asked, polled = len(hub.asked), hub.polls
    async with live(tmp_path, [feed(hub)], unused_tcp_port) as run:
        assert await hub.push(hubs.rss(3, 4)) == 200
        assert len(run.delivery.titles) == 1
        assert (len(hub.asked), hub.polls) == (asked, polled)


async def test_a_feed_that_is_removed_is_unsubscribed(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """While it runs or while it does not: the hub is told, verifies it, and a push of a late hub is 410, then 404."""
    async with live(tmp_path, [feed(hub)], unused_tcp_port):
        await until(lambda: hub.confirmed)
    hub.verifies = False
    async with live(tmp_path, [], unused_tcp_port):
        await until(lambda: hub.asked[-1]["hub.mode"] == "unsubscribe")
        late = await hub.push()
        await hub.verify(hub.asked[-1])
        never = await hub.push()
    assert (late, never) == (410, 404)
    assert hub.confirmed == {}


async def test_while_the_hub_is_away_polling_goes_on(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """A hub that refuses is asked again, ever more rarely, while polls bring the news; once it is back it pushes."""
    hub.status = 500
    async with live(tmp_path, [feed(hub, 0.2)], unused_tcp_port) as run:
        await until(lambda: len(hub.asked) >= 2)
        await until(lambda: value("subscriptions", state="failing") == 1)
        hub.body = hubs.rss(1, 2, 3, 4)
        await until(lambda: len(run.delivery.titles) == 4)
        hub.status = 202
        await until(lambda: hub.confirmed)
        assert await hub.push(hubs.rss(5)) == 200
        assert len(run.delivery.titles) == 5


async def test_a_pushed_feed_is_polled_less_but_never_not_at_all(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """Once a push has come, polls keep the interval of the net; with the next poll after it they go on."""
    terms = Terms(spread_s=0.0, net_s=2.0)
    async with live(tmp_path, [feed(hub, 0.1)], unused_tcp_port, terms) as run:
        await until(lambda: hub.confirmed)
        assert await hub.push(hubs.rss(4)) == 200
        polled = run.polls["wire"]
        await until(lambda: run.polls["wire"] > polled)
        state = run.poller.state(feed(hub))
        assert state
        assert state.next_due is not None
        assert state.next_due - state.polled_at >= 1.8
        await until(lambda: run.polls["wire"] > polled + 1)


async def test_what_a_push_should_have_brought_costs_trust(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """An entry that only a poll finds is counted; polls go on as if there were no hub, which is asked anew."""
    async with live(tmp_path, [feed(hub, 0.2)], unused_tcp_port) as run:
        await until(lambda: hub.confirmed)
        before, asked, polled = value("push_misses_total"), len(hub.asked), run.polls["wire"]
        await until(lambda: run.polls["wire"] > polled + 1)
        hub.body = hubs.rss(1, 2, 3, 4)
        await until(lambda: value("push_misses_total") == before + 1)
        await until(lambda: len(hub.asked) > asked and value("subscriptions", state="distrusted") == 1)
        assert await hub.push() == 200
        polled = run.polls["wire"]
        await until(lambda: run.polls["wire"] > polled + 2)
    assert len(run.delivery.titles) == 4


async def test_a_push_that_comes_after_our_poll_is_no_miss(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """A hub that is only slower than a poll that happened to come first keeps our trust."""
    terms = Terms(spread_s=0.0, grace_s=3600.0)
    async with live(tmp_path, [feed(hub, 0.2)], unused_tcp_port, terms) as run:
        await until(lambda: hub.confirmed)
        polled = run.polls["wire"]
        await until(lambda: run.polls["wire"] > polled + 1)
        hub.body = hubs.rss(1, 2, 3, 4)
        await until(lambda: run.subscriber._awaited)
        assert await hub.push(hubs.rss(4)) == 200
        assert not run.subscriber._awaited


async def test_what_was_pushed_while_nobody_listened_is_no_miss(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """After a stop the first poll finds what the hub could not deliver: that says nothing against it."""
    async with live(tmp_path, [feed(hub, 0.2)], unused_tcp_port) as run:
        await until(lambda: hub.confirmed)
        polled = run.polls["wire"]
        await until(lambda: run.polls["wire"] > polled + 1)
    hub.body = hubs.rss(1, 2, 3, 4)
    async with live(tmp_path, [feed(hub, 0.2)], unused_tcp_port) as run:
        await until(lambda: run.delivery.titles)
        assert not run.subscriber._awaited


async def test_a_hub_may_say_no(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """Denied, before or after it had verified, a subscription is left alone, and polling goes on."""
    async with live(tmp_path, [feed(hub, 0.2)], unused_tcp_port) as run:
        await until(lambda: hub.confirmed)
        asked = len(hub.asked)
        assert await hub.deny("\x1b[31mnot you") == (200, "")
        await until(lambda: value("subscriptions", state="denied") == 1)
        polled = run.polls["wire"]
        await until(lambda: run.polls["wire"] > polled + 2)
        assert len(hub.asked) == asked


async def test_the_log_shows_no_token(hub: Hub, tmp_path: Path, unused_tcp_port: int, caplog: pytest.LogCaptureFixture):
    """A hub's address may have one in its query, and what a hub says may quote another."""
    async with live(tmp_path, [feed(hub, 0.2)], unused_tcp_port) as run:
        await until(lambda: hub.confirmed)
        (one,) = run.subscriber._all.values()
        with caplog.at_level("INFO"):
            subscriber._say("it says https://a.example/?token=1", replace(one, hub="https://h.example/x?token=2"))
    (record,) = [record for record in caplog.records if "it says" in record.message]
    assert "token" not in record.message
    assert record.fields["hub"] == "https://h.example/x?…"  # type: ignore[attr-defined]  # given as extra


async def test_a_feed_may_change_its_hub(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """The old hub is told to end it, the new one gets a callback and a secret of its own."""
    async with hubs.running() as other, live(tmp_path, [feed(hub, 0.2)], unused_tcp_port):
        await until(lambda: hub.confirmed)
        hub.named = other.url("/hub")
        await until(lambda: other.confirmed and not hub.confirmed)
    assert other.asked[0]["hub.secret"] != hub.asked[0]["hub.secret"]
    assert other.asked[0]["hub.callback"] != hub.asked[0]["hub.callback"]
    assert other.asked[0]["hub.topic"] == feed(hub).url


async def test_a_feed_may_leave_its_hub(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """A feed that names no hub any more is unsubscribed, and polled on."""
    async with live(tmp_path, [feed(hub, 0.2)], unused_tcp_port) as run:
        await until(lambda: hub.confirmed)
        hub.named = None
        await until(lambda: not hub.confirmed)
        polled = run.polls["wire"]
        await until(lambda: run.polls["wire"] > polled + 2)
    assert [form["hub.mode"] for form in hub.asked] == ["subscribe", "unsubscribe"]


async def test_a_hub_has_to_be_public_or_allowed(
    hub: Hub, tmp_path: Path, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
):
    """A feed can't send our requests into the network that we stand in."""
    monkeypatch.setenv("BRINKWATCH_FETCH_ALLOW_NETWORKS", "127.0.0.1/32")
    hub.named = hub.url("/hub").replace("127.0.0.1", "127.0.0.2")
    async with live(tmp_path, [feed(hub)], unused_tcp_port) as run:
        await until(lambda: value("subscriptions", state="failing") == 1)
        reasons = [one.reason for one in run.subscriber._all.values()]
    assert hub.asked == []
    assert "no public address" in reasons[0]


async def test_a_redirect_of_the_hub_is_followed_as_a_post(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """307 leads to the hub with the form unchanged."""
    hub.named = hub.url("/moved")
    async with live(tmp_path, [feed(hub)], unused_tcp_port):
        await until(lambda: hub.confirmed)


async def test_a_push_that_the_broker_does_not_take_is_asked_for_again(
    hub: Hub, tmp_path: Path, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
):
    """Without an acknowledgement the hub hears 503, until what it brought was taken after all; nothing comes twice."""
    monkeypatch.setattr(pushes.Pushes.__init__, "__defaults__", (0.5,))
    async with live(tmp_path, [feed(hub)], unused_tcp_port) as run:
        await until(lambda: hub.confirmed)
        run.delivery.stuck = True
        stuck, again = await hub.push(hubs.rss(4)), await hub.push(hubs.rss(4))
        run.delivery.stuck = False
        await until(lambda: len(run.delivery.titles) == 4)
        run.delivery.up = False
        away = await hub.push(hubs.rss(5))
        run.delivery.up = True
        taken = await hub.push(hubs.rss(5))
    assert (stuck, again, away, taken) == (503, 503, 503, 200)
    assert len(run.delivery.titles) == 5


async def test_pushes_have_bounds(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """Too large, packed, no feed at all, too many: each has a status and a label, and the last one is still taken."""
    names = ("too_large", "encoded", "unreadable", "rate_limited", "unknown")
    async with live(tmp_path, [feed(hub)], unused_tcp_port) as run:
        await until(lambda: hub.confirmed)
        before = {name: value("pushes_total", outcome=name) for name in names}
        large = await hub.push(b"<rss>" + b" " * pushes.MAX_BYTES)
        packed = await hub.push(hubs.rss(4), Content_Encoding="gzip")
        page = await hub.push(b"<!doctype html><html><body>Sorry</body></html>")
        empty = await hub.push(b"  ")
        unknown = await hub.push(callback=f"http://127.0.0.1:{unused_tcp_port}/push/here/" + "A" * 43)
        assert await hub.push(hubs.rss(4)) == 200
        while (status := await hub.push(b"", method="")) == 202:
            pass
        after = {name: value("pushes_total", outcome=name) - count for name, count in before.items()}
    assert (large, packed, page, empty, unknown, status) == (413, 415, 202, 202, 404, 429)
    assert after == {"too_large": 1, "encoded": 1, "unreadable": 2, "rate_limited": 1, "unknown": 1}
    assert len(run.delivery.titles) == 4


async def test_a_poll_and_a_push_at_once_send_an_entry_once(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """Two readings of one feed, with the same new entries, wait for each other."""
    async with live(tmp_path, [feed(hub)], unused_tcp_port) as run:
        await until(lambda: hub.confirmed)
        hub.body = hubs.rss(*range(1, 30))
        await asyncio.gather(run.poller.poll(feed(hub)), hub.push(), hub.push(), run.poller.poll(feed(hub)))
    assert len(run.delivery.titles) == len(set(run.delivery.titles)) == 29


async def test_other_requests_are_no_work(hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """Other methods, other paths, no HTTP at all: refused, and the listener goes on."""
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with live(tmp_path, [feed(hub)], unused_tcp_port):
        await until(lambda: hub.confirmed)
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"\x16\x03\x01 this is TLS\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.0 400")
        writer.close()
        async with aiohttp.ClientSession() as session:
            for method, path in (("GET", "/"), ("PUT", "/push/here"), ("POST", "/"), ("GET", "/" + "a" * 5000)):
                async with session.request(method, url + path) as response:
                    assert response.status == 404
        assert await hub.push() == 200


@pytest.mark.parametrize(("most", "seconds"), [(4, 3600.0), (64, 0.5)])
async def test_connections_are_few_and_short(
    tmp_path: Path, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch, most: int, seconds: float
):
    """Who holds connections open without a word: those beyond the bound are cut at once, the others at their time."""
    monkeypatch.setattr("connectors.websub.listener.CONNECTION_S", seconds)
    monkeypatch.setattr("connectors.websub.listener.MAX_CONNECTIONS", most)
    async with live(tmp_path, [], unused_tcp_port):
        silent = [await asyncio.open_connection("127.0.0.1", unused_tcp_port) for _ in range(6)]
        reads = [asyncio.create_task(reader.read()) for reader, _ in silent]
        done, held = await asyncio.wait(reads, timeout=2)
        for read in held:
            read.cancel()
        for _, writer in silent:
            writer.close()
        assert [read.result() for read in done] == [b""] * (6 - most if most < 6 else 6)


async def test_off_nothing_listens_and_nothing_is_asked(hub: Hub, tmp_path: Path):
    """Without a callback address a feed that names a hub is polled like any other."""
    from config.settings import load_settings
    from connectors.websub.service import subscribed

    async with subscribed(load_settings(data_dir=tmp_path), [feed(hub)], None, None) as subscriber:  # type: ignore[arg-type]  # neither is touched
        assert subscriber is None
    assert not os.listdir(tmp_path)  # noqa: PTH208  # pathlib's would be said to block the loop
    assert hub.asked == []
