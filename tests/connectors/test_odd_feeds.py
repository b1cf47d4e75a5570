"""Feeds with one odd thing in them: it costs itself at most, never the entries around it."""

from __future__ import annotations

import json

import feedparser.api
import pytest

from connectors import jsontext
from connectors.entry import Parsed
from connectors.feedxml import _Loose, _Strict
from connectors.formats import Source, parse
from connectors.lines import peek
from connectors.outcome import Outcome

HERE = Source("https://wire.example/feed.xml")
_URIS = {prefix: uri for uri, prefix in feedparser.api.StrictFeedParser.namespaces.items()}
SPACES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _URIS.items() if prefix and prefix != "xml")
BAD = " & "
"""Makes a document no XML, so that the loose parser reads it."""
EMOJI = "\N{BATH}"


def read(text: str) -> Parsed:
    """The feed in ``text``."""
    return parse(text.encode(), HERE)


def rss(head: str = "", inside: str = "", after: str = "") -> str:
    """A feed of two items; the first holds ``inside``, and ``head`` and ``after`` stand before and behind them."""
    one = f"<item><title>Levy ends</title><guid>g1</guid>{inside}</item>"
    two = "<item><title>Bridge opens</title><link>https://wire.example/2</link><description>Two.</description></item>"
    return f'<rss version="2.0" {SPACES}><channel><title>Wire</title>{head}{one}{two}{after}</channel></rss>'


def names() -> list[str]:
    """Every element that feedparser has a word for, as it is written."""
    found = {name.removeprefix("_start_").removeprefix("_end_") for name in dir(_Strict) if name[1:4] in {"sta", "end"}}
    prefixes = sorted(filter(None, _URIS), key=len)
    return sorted({next((f"{p}:{n[len(p) + 1 :]}" for p in prefixes if n.startswith(f"{p}_")), n) for n in found})


@pytest.mark.parametrize("loose", [False, True])
@pytest.mark.parametrize("content", ["", "1 2", "<name>x</name>", "<title>x</title><url>[</url>"])
def test_no_element_costs_another_entry(content: str, *, loose: bool):
    """Whatever element stands in an item, in its text or before the items: the next entry is whole."""
    for name in names():
        if name in {"item", "entry", "source", "svg"} or (loose and name in {"textinput", "image"}):
            continue  # these do mean something to what follows
        odd = f"<{name}>{content}</{name}>"
        many = f'<{name} href="[" url="http://[" lang="" type="x">{content}</{name}>'
        for each in (odd, many):
            for feed in (rss(each), rss("", each), rss("", f"<description>a {each} b</description>")):
                parsed = read(feed.replace("Wire", f"Wire{BAD if loose else ''}"))
                assert parsed.outcome is Outcome.OK, (name, feed)
                last = parsed.entries[-1]
                assert (last.title, last.url) == ("Bridge opens", "https://wire.example/2"), (name, feed)


@pytest.mark.parametrize(
    ("inside", "text", "lost"),
    [
        ("<gml:pos>1 2</gml:pos><description>One.</description>", "One.", "gml:pos"),
        ("<textInput><name>q</name></textInput><description>One.</description>", "One.", "name"),
        ("<description>A <width>wide</width> bridge.</description>", "A wide bridge.", "width"),
    ],
)
def test_what_is_lost_is_told(inside: str, text: str, lost: str):
    """The rest of the entry is there, and a warning names the element, whether the document is XML or not."""
    for bad in ("", BAD):
        parsed = read(rss(bad, inside))
        assert (parsed.entries[0].title, parsed.entries[0].text, parsed.entries[0].guid) == ("Levy ends", text, "g1")
        assert f"1 element that can't be read: {lost}" in parsed.warnings


def test_counts_of_what_is_open_stay_right():
    """An element that fails leaves depth, language and base of the next ones as they were."""
    for parser in (_Strict("", None, "utf-8"), _Loose("", None, "utf-8", {})):
        parser.unknown_starttag("item", [])
        before = (parser.depth, list(parser.basestack), list(parser.langstack), len(parser.elementstack))
        parser.unknown_starttag("gml:pos", [("lang", "de")])
        parser.unknown_endtag("gml:pos")
        assert (parser.depth, parser.basestack, parser.langstack, len(parser.elementstack)) == before
        assert sum(parser.lost.values()) == 1


PAIR = "&#55357;&#57024;"
LONE = ["&#55357;", "&#xDC80;", "&#x110000;", "&#0;", "&#xFFFF;", f"&#{'9' * 5000};", f"&#x{'f' * 9};"]
PLACES = {
    "title": "<item><title>Odd {}</title><link>https://wire.example/1</link></item>",
    "guid": "<item><title>Odd</title><guid isPermaLink='false'>{}</guid></item>",
    "link": "<item><title>Odd</title><link>https://wire.example/1?{}</link></item>",
    "description": "<item><title>Odd</title><description>Odd {}</description></item>",
    "language": "<item><title>Odd</title><dc:language>{}</dc:language></item>",
}


@pytest.mark.parametrize("reference", [PAIR, PAIR.replace("&#55357;", "&#xD83d;"), *LONE])
@pytest.mark.parametrize("place", PLACES)
def test_references_to_no_character(place: str, reference: str):
    """In RSS and Atom, wherever it stands, XML or not: every entry is there, and it is told."""
    item = PLACES[place].format(reference)
    atom = (
        item.replace("item>", "entry>").replace("guid", "id").replace(" isPermaLink='false'", "")
        .replace("<link>", "<link href='").replace("</link>", "'/>").replace("description", "summary")
    )  # fmt: skip
    entries = f"{atom}<entry><title>T</title></entry>"
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom" {SPACES}><title>W</title>{entries}</feed>'
    for bad in ("", BAD):
        for parsed in (read(rss(bad + item)), read(feed.replace("<title>W", f"<title>W{bad}"))):
            assert parsed.outcome is Outcome.OK
            assert parsed.entries[0].title.startswith("Odd")
            assert len(parsed.entries) > 1
            assert any("that XML does not allow" in warning for warning in parsed.warnings)


def test_surrogates_become_their_character():
    """Also among others; what is allowed, and what stands in CDATA, is left alone."""
    title = f"a {PAIR}&#38;&#xD83D; &#x1F6C0;"
    parsed = read(rss(f"<item><title>{title}</title></item>"))
    assert parsed.entries[0].title == f"a {EMOJI}&\N{REPLACEMENT CHARACTER} {EMOJI}"
    assert "3 character references that XML does not allow" in parsed.warnings
    quoted = read(rss("<item><title><![CDATA[ &#38; ]]></title></item><!-- &#0; -->"))
    assert (quoted.entries[0].title, quoted.warnings) == ("&", ())


def test_references_without_an_end():
    """Where a document is no XML: a reference that lacks its semicolon is read, or is U+FFFD."""
    parsed = read(rss("<item><title>Odd &#55357 day</title></item>"))
    assert (parsed.entries[0].title, len(parsed.entries)) == ("Odd \N{REPLACEMENT CHARACTER} day", 3)


def test_sitemaps_with_odd_references():
    """A pair of surrogates is a character in sitemaps, too; in CDATA an ampersand is what it looks like."""
    space = (
        'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"'
    )
    entry = "<url><loc>{}</loc><n:news><n:title>{}</n:title></n:news></url>"
    loc = "https://wire.example/story?a=1&b=2"
    body = "".join(
        entry.format(address, f"Bread & butter {PAIR} &#99999999;")
        for address in (f"<![CDATA[{loc}]]>", loc, loc.replace("&", "&amp;"), loc.replace("&", "&#38;"))
    )
    parsed = read(f"<urlset {space}>{body}</urlset>")
    assert {(found.url, found.guid, found.title) for found in parsed.entries} == {
        (loc, loc, f"Bread & butter {EMOJI} \N{REPLACEMENT CHARACTER}")
    }
    assert len(parsed.entries) == 4
    quoted = read(f"<urlset {space}>{entry.format(loc, '<![CDATA[R&D <!-- & -->]]>')}</urlset>")
    assert quoted.entries[0].title == "R&D"


def test_half_a_character_in_json():
    r"""A title cut within an emoji costs no item of a JSON feed and no line of a file; an escaped backslash is none."""
    items = [{"id": "1", "title": "Cut \ud83d"}, {"id": "2", "title": r"C:\ud83d " + EMOJI}]
    parsed = read(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}))
    assert [found.title for found in parsed.entries] == ["Cut \N{REPLACEMENT CHARACTER}", r"C:\ud83d " + EMOJI]
    assert parsed.warnings == ("1 entry with letters that can't be read",)
    line = json.dumps({"published": "2026-11-02", "title": "Cut \ud83d"})
    parsed = parse(f"{line}\n{line}\n".encode(), Source("file:///srv/news.jsonl", line=1))
    assert [found.title for found in parsed.entries] == ["Cut \N{REPLACEMENT CHARACTER}"] * 2
    assert peek(line.encode()) is not None
    assert parse(line.encode(), HERE).kind == "lines"
    with pytest.raises(ValueError, match="truncated"):
        jsontext.decode(r'{"title": "\ud83d"')
