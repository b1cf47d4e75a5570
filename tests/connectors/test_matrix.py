"""Every format with every fault: entries or a labelled outcome, in bounded time, and never an exception."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import feedforms
import pytest
from feedforms import FORMS, KINDS, XML, Story

from config.feeds import Feed
from connectors.entry import Parsed
from connectors.formats import Source, parse
from connectors.outcome import Outcome
from connectors.plaintext import MAX_TITLE
from connectors.recognition import identify

HERE = Source("https://wire.example/feeds/all")
FEED = Feed("wire", HERE.url)
STORIES = [Story(1), Story(2)]
BOUND_S = 20.0
"""As the sandbox grants; what is asserted is that nothing runs away, not how fast it is."""


def read(body: str | bytes, content_type: str = "") -> Parsed:
    """What a body gives; an exception fails the test, as does a body that takes more than the sandbox grants."""
    raw = body.encode() if isinstance(body, str) else body
    begun = time.monotonic()
    parsed = parse(raw, Source(HERE.url, content_type))
    assert time.monotonic() - begun < BOUND_S
    assert parsed.outcome is Outcome.OK or parsed.error
    return parsed


@pytest.mark.parametrize("form", FORMS)
def test_a_sound_feed(form: str):
    """Title, address, guid, time and text of both stories, as far as the format has them."""
    parsed = read(FORMS[form](STORIES))
    assert (parsed.outcome, parsed.kind, parsed.warnings) == (Outcome.OK, KINDS.get(form, form), ())
    assert [entry.title for entry in parsed.entries] == [story.named for story in STORIES]
    assert [entry.url for entry in parsed.entries] == [story.url for story in STORIES]
    if form != "sitemap":
        assert [entry.text for entry in parsed.entries] == [story.text for story in STORIES]
    if form not in {"rss091", "sitemap"}:
        assert [entry.guid for entry in parsed.entries] == [story.known_as for story in STORIES]
    if form != "rss091":
        said = [entry.published or entry.updated for entry in parsed.entries]
        assert said == [datetime(2026, 11, 2, 10, tzinfo=UTC), datetime(2026, 11, 2, 11, 30, tzinfo=UTC)]
    assert len(identify(FEED, parsed.entries)) == 2


@pytest.mark.parametrize("form", FORMS)
def test_cut_short_anywhere(form: str):
    """A body that ends at any of fifty places gives what stands before, or says why not."""
    body = FORMS[form](STORIES).encode()
    for part in range(1, 50):
        parsed = read(body[: len(body) * part // 50])
        assert {entry.url for entry in parsed.entries if entry.url.startswith("https://wire.example/story/")} <= {
            story.url[:cut] for story in STORIES for cut in range(len(story.url) + 1)
        }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings(form: str, encoding: str):
    """A byte order mark, or two and four bytes a character: read the same, or refused with a label."""
    parsed = read(FORMS[form](STORIES).replace("utf-8", encoding.removesuffix("-sig")).encode(encoding))
    if parsed.outcome is Outcome.OK:
        assert [entry.title for entry in parsed.entries] == [story.named for story in STORIES]
    assert parsed.outcome is Outcome.OK or (encoding != "utf-8-sig" and form not in XML), parsed.error


@pytest.mark.parametrize("form", XML)
def test_a_wrong_charset(form: str):
    """Declared UTF-8 and windows-1251 in fact, or declared Latin and UTF-8 in fact: never gibberish in an article."""
    title = "Бригада выходит из казарм к реке"
    body = FORMS[form]([Story(1, title=title, text=title * 20)])
    wrong = read(body.encode("windows-1251"))
    assert wrong.outcome is Outcome.BAD_ENCODING
    declared = read(body.replace("utf-8", "iso-8859-1").encode())
    assert [entry.title for entry in declared.entries] == [title]
    header = read(body.replace(feedforms.HEAD, "").encode("windows-1251"), "text/xml; charset=windows-1251")
    assert [entry.title for entry in header.entries] == [title]


@pytest.mark.parametrize("form", XML)
def test_entities(form: str):
    """An entity of HTML is its character; one that nobody declared costs at most its feed, with a reason."""
    body = FORMS[form]([Story(1, title="TITLE")])
    named = read(body.replace("TITLE", "A&nbsp;caf&eacute; &amp; more"))
    assert [entry.title for entry in named.entries] == ["A café & more"]
    unknown = read(body.replace("TITLE", "A &nothing; & more"))
    assert unknown.outcome is Outcome.NOT_A_FEED or "more" in unknown.entries[0].title


@pytest.mark.parametrize("form", XML)
def test_entities_of_its_own(form: str, tmp_path):
    """A document's own entities are never expanded without bound, and never read from anywhere."""
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    for declared in (f'<!ENTITY a0 "ha">{laughs}', f'<!ENTITY a11 SYSTEM "{secret.as_uri()}">'):
        body = FORMS[form]([Story(1, title="T")]).replace("T</", "T &a11;</", 1)
        parsed = read(body.replace(feedforms.HEAD, f"{feedforms.HEAD}<!DOCTYPE r [{declared}]>"))
        assert sum(len(entry.title) for entry in parsed.entries) < 10_000
        assert "the secret" not in repr(parsed)


@pytest.mark.parametrize("form", XML)
def test_cdata_and_markup(form: str):
    """What is marked up comes out as plain text, in CDATA or escaped; scripts do not come out at all."""
    story = Story(1, title="TITLE", text="TEXT")
    body = FORMS[form]([story]).replace("TITLE", "<![CDATA[One <b>&amp;</b> two]]>")
    (entry,) = read(body.replace("TEXT", "<![CDATA[<p>First.</p><script>no()</script><p>Second.</p>]]>")).entries
    assert entry.title == "One & two"
    assert entry.text == ("" if form == "sitemap" else "First.\nSecond.")


@pytest.mark.parametrize("form", FORMS)
def test_no_dates(form: str):
    """An entry without a date is an entry."""
    parsed = read(FORMS[form]([Story(1, dated=False), Story(2)]))
    assert parsed.entries[0].published is None
    assert len(parsed.entries) == 2


@pytest.mark.parametrize("form", FORMS)
def test_repeated_guids(form: str):
    """Two stories with one guid, and other addresses, are two."""
    parsed = read(FORMS[form]([Story(1, guid="same"), Story(2, guid="same")]))
    assert len(identify(FEED, parsed.entries)) == 2


@pytest.mark.parametrize("form", FORMS)
def test_relative_links(form: str):
    """A link counts from where the feed came from; one that is no link of the web is none."""
    parsed = read(FORMS[form]([Story(1, link="../story/one"), Story(2, link="javascript:alert(1)")]))
    assert parsed.entries[0].url == "https://wire.example/story/one"
    assert all(not entry.url for entry in parsed.entries[1:])
    assert len(parsed.entries) == (1 if form == "sitemap" else 2)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_in_it(form: str):
    """A feed without entries is a feed; a body of nothing is empty."""
    parsed = read(FORMS[form]([]))
    assert (parsed.outcome, parsed.entries) == (Outcome.EMPTY if form == "lines" else Outcome.OK, ())
    assert read("").outcome is read(b"\0" * 4096).outcome is Outcome.EMPTY


@pytest.mark.parametrize("form", FORMS)
def test_depth(form: str):
    """Twenty thousand elements or brackets, one in another: bounded, whatever comes of it."""
    body = FORMS[form](STORIES)
    deep = ("<a>" if form in XML else "[") * 20_000
    place = body.index("Brigade 1")
    parsed = read(body[:place] + deep + body[place:])
    assert len(parsed.entries) <= 2


@pytest.mark.parametrize("form", FORMS)
def test_nuls_and_controls(form: str):
    """Characters that no text has: what can be read is read without them."""
    body = FORMS[form](STORIES)
    for stray in ("\0", "\x08", "\x1b[31m", "\u202e", "\ufffe"):
        parsed = read(body.replace("Brigade 1", f"Bri{stray}gade 1"))
        titles = [entry.title for entry in parsed.entries]
        assert not any(ord(character) < 32 or character == "\u202e" for title in titles for character in title)
        assert titles[-1:] in ([], [STORIES[1].named])
    assert read(
        b"\0".join(body.encode()[i : i + 1] for i in range(len(body)))
    ).outcome  # UTF-16 without a mark, or noise


@pytest.mark.parametrize("form", FORMS)
def test_sizes(form: str):
    """A title of a megabyte and a text of three: cut, not refused; the other story is as it was."""
    parsed = read(FORMS[form]([Story(1, title="word " * 200_000), Story(2)]))
    assert len(parsed.entries[0].title) <= MAX_TITLE
    assert parsed.entries[1].title == STORIES[1].named
    huge = read(FORMS[form]([Story(1, text="word " * 300_000), Story(2)]))
    assert huge.entries[-1].title == STORIES[1].named


@pytest.mark.parametrize("form", XML)
def test_many_attributes(form: str):
    """One element with attributes without end is bounded too."""
    body = FORMS[form](STORIES)
    attributes = " ".join(f'a{number}="x"' for number in range(20_000))
    at = body.index(">", body.index("Wire" if "Wire" in body else "loc") + 1)
    assert len(read(f"{body[:at]} {attributes}{body[at:]}").entries) <= 2


@pytest.mark.parametrize("form", XML)
def test_not_well_formed(form: str):
    """A bare ampersand or a tag that nobody closes costs no entry, or is told."""
    body = FORMS[form](STORIES)
    bare = read(body.replace("Brigade 1", "Bread & butter, brigade 1"))
    assert len(bare.entries) == 2
    unclosed = read(body.replace("Brigade 1", "<b>Brigade 1"))
    assert unclosed.warnings or unclosed.error or len(unclosed.entries) == 2


def test_what_a_feed_says_of_itself():
    """How often to poll, its hubs and its own address, in each format that has a word for it."""
    link = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="{}" href="{}"/>'
    said = link.format("hub", "https://hub.example/") + link.format("self", "/feed.xml")
    rss = FORMS["rss20"](STORIES).replace("<language>", f"<ttl>45</ttl>{said}<language>")
    parsed = read(rss)
    assert (parsed.ttl_s, parsed.hubs, parsed.self_url) == (
        2700.0,
        ("https://hub.example/",),
        "https://wire.example/feed.xml",
    )
    links = '<link rel="self hub" href="https://a.example/f"/><link rel="hub" href="https://hub2.example/"/>'
    atom = read(FORMS["atom10"](STORIES).replace("<id>urn:wire</id>", f"<id>urn:wire</id>{links}"))
    assert atom.hubs == ("https://a.example/f", "https://hub2.example/")
    assert (atom.ttl_s, atom.self_url) == (0.0, "https://a.example/f")
    data = json.loads(FORMS["json11"](STORIES))
    data |= {
        "feed_url": "https://j.example/f",
        "hubs": [{"type": "WebSub", "url": "https://h.example/"}, {"type": "x"}, 7],
    }
    parsed = read(json.dumps(data))
    assert (parsed.hubs, parsed.self_url) == (("https://h.example/",), "https://j.example/f")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("<ttl>15</ttl>", 900.0),
        ("<ttl> 60 </ttl>", 3600.0),
        ("<ttl>0</ttl>", 0.0),
        ("<ttl>-5</ttl>", 0.0),
        ("<ttl>soon</ttl>", 0.0),
        ("<ttl>٣</ttl>", 0.0),
        ("<ttl>999999</ttl>", 7 * 86400.0),
        (f"<ttl>{'9' * 5000}</ttl>", 0.0),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 900.0),
        ("<sy:updatePeriod>\n daily \n</sy:updatePeriod>", 86400.0),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 3600.0),
        ("<sy:updatePeriod>often</sy:updatePeriod>", 0.0),
        ("<ttl>30</ttl><sy:updatePeriod>daily</sy:updatePeriod>", 86400.0),
        ("<ttl>90</ttl><sy:updatePeriod>hourly</sy:updatePeriod>", 5400.0),
    ],
)
def test_how_often_a_feed_asks_to_be_polled(said: str, seconds: float):
    """Minutes, or times a period, whichever is longer; nonsense asks for nothing, and nobody for more than a week."""
    space = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    body = (
        FORMS["rss20"](STORIES)
        .replace("<language>", f"{said}<language>")
        .replace('version="2.0"', f'version="2.0" {space}')
    )
    assert read(body).ttl_s == seconds


def test_news_sitemaps():
    """Only addresses with news are entries; titles of pictures are none; any prefix will do; the rest is counted."""
    other = "<url><loc>https://wire.example/about</loc><lastmod>2026-11-01</lastmod></url>"
    picture = '<i:image xmlns:i="urn:i"><i:title>Picture</i:title><i:loc>https://x.example/</i:loc></i:image>'
    body = FORMS["sitemap"](STORIES).replace("</urlset>", f"{other}</urlset>").replace("<n:news>", f"{picture}<n:news>")
    parsed = read(body)
    assert [(entry.title, entry.url, entry.language) for entry in parsed.entries] == [
        (story.named, story.url, "en") for story in STORIES
    ]
    assert (parsed.title, parsed.warnings) == ("Wire", ("1 address without news",))


def test_an_index_of_sitemaps():
    """It is no feed, and the error says what it lists."""
    maps = "".join(f"<sitemap><loc>https://wire.example/map-{number}.xml</loc></sitemap>" for number in range(1, 9))
    parsed = read(
        f'{feedforms.HEAD}<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{maps}</sitemapindex>'
    )
    assert (parsed.outcome, parsed.kind) == (Outcome.NOT_A_FEED, "sitemapindex")
    assert "an index of 8 sitemaps" in parsed.error
    assert "https://wire.example/map-1.xml" in parsed.error
