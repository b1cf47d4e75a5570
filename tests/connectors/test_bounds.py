"""Patterns over bytes from outside: what is made to run for ever does not."""

from __future__ import annotations

import contextlib

import pytest

from connectors.charset import CharsetError, decode
from connectors.discovery import HEAD, alternates
from connectors.formats import Source, parse
from connectors.opml import Outline, with_ids
from connectors.plaintext import MAX_MARKUP, from_html, one_line

LINK = b'<link rel="alternate" type="application/rss+xml" href="/f">'


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", [b"<!--", b"<link ", b"<link a", b"<", b"<!-- x", b"<base <", b"&", b"a=" * 8, b"'", b'"<']
)
def test_pages(piece: bytes):
    """A page of one piece again and again: what stands before is found, and it ends."""
    body = LINK + piece * (HEAD // len(piece))
    assert [found.url for found in alternates(body, "text/html", "https://x.example/")] == ["https://x.example/f"]


@pytest.mark.timeout(100)
@pytest.mark.parametrize("piece", [" ", "<", "&", "<!--", "<?", "<!DOCTYPE ", "&#", "<!DOCTYPE x [", "<url>", "]]>"])
@pytest.mark.parametrize("root", ["<urlset>", "<opml>", ""])
def test_documents(piece: str, root: str):
    """The same of what calls itself a sitemap, a list, or nothing."""
    body = root + piece * (2_000_000 // len(piece) if root == "<urlset>" else 20_000)
    assert parse(body.encode(), Source("https://x.example/")).outcome


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", [b"\xe4", b"<\xe4", b"\xe4:/", b"http\xe4", b"\x80\xff"])
def test_bytes_in_no_encoding(piece: bytes):
    """Telling an encoding ends, too."""
    with contextlib.suppress(CharsetError):
        assert decode(b"<a>" + piece * 100_000, "").encoding


@pytest.mark.timeout(60)
@pytest.mark.parametrize("end", ["", ">"])
@pytest.mark.parametrize(
    "piece",
    [
        "<a /",
        "<a b='",
        "<a/",
        "<a b='>' ",
        "</a",
        "<!--",
        "<!-->",
        "<![CDATA[>",
        "<![if>",
        "<?",
        "<script><!--",
        "&#",
        "<",
    ],
)
def test_markup_of_texts(piece: str, end: str):
    """A title or a text of one piece again and again: it is read, and what stands before is its begin."""
    markup = f"<p>Levy <b>ends</b> {piece * (MAX_MARKUP // len(piece) - 20)}{end}"
    assert from_html(markup).startswith("Levy ends")
    assert one_line(markup).startswith("Levy ends")


@pytest.mark.timeout(60)
def test_ids_of_many_feeds_of_one_title():
    """A hundred thousand feeds of one name get as many ids, and not in a time that grows with the square."""
    outlines = with_ids([Outline(f"https://x.example/{number}", "News") for number in range(100_000)], ["news"])
    assert len({outline.given["id"] for outline in outlines}) == 100_000
