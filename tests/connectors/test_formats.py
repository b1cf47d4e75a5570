"""Reading feeds: formats, encodings, plain text, and every feed of the collections."""

from __future__ import annotations

import codecs
import json
from datetime import UTC, datetime
from pathlib import Path

import feedserver
import pytest

from connectors import opml
from connectors.charset import CharsetError, decode
from connectors.entry import MAX_ENTRIES, Parsed
from connectors.formats import Source, parse
from connectors.outcome import Outcome
from connectors.plaintext import MAX_MARKUP, MAX_TEXT, from_html, one_line

COLLECTION = next(
    (found for folder in Path(__file__).parents[3:] if (found := folder / "shared" / "feeds").is_dir()), Path("none")
)
HERE = Source("https://site.example/feeds/all.xml")
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://r.example/"><title>R</title></channel>
<item rdf:about="https://r.example/1"><title>One</title><link>https://r.example/1</link>
<dc:date>2026-11-02T12:00:00+02:00</dc:date></item></rdf:RDF>"""


def read(text: str, source: Source = HERE) -> Parsed:
    """The feed in ``text``."""
    return parse(text.encode(), source)


def test_rss():
    """Guid, link, title, plain text and date of an item."""
    parsed = read(feedserver.rss(1))
    (entry,) = parsed.entries
    assert (parsed.outcome, parsed.kind, parsed.title) == (Outcome.OK, "rss20", "Wire")
    assert (entry.guid, entry.url) == ("1", "https://wire.example/story/1?utm_source=rss")
    assert entry.title == "Story number 1 of the day"
    assert entry.text == "Body of the story 1, long enough to be told as English prose by anyone."
    assert entry.published == datetime(2026, 11, 2, 10, tzinfo=UTC)


def test_atom():
    """A relative link counts from the feed; markup becomes lines; scripts go; there may be no date of publication."""
    (entry,) = read(feedserver.ATOM).entries
    assert entry.url == "https://site.example/one"
    assert entry.title == "One & two"
    assert entry.text == "First.\nSecond < third."
    assert (entry.published, entry.updated) == (None, datetime(2026, 11, 2, 11, tzinfo=UTC))
    assert entry.language == "en"


DE = '<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="alternate" hreflang="de" href="https://n.example/de"/>'
LINK = "<link>https://n.example/1</link>"
GUID = "<guid>https://n.example/g</guid>"


@pytest.mark.parametrize("bad", ["", " & "])
@pytest.mark.parametrize(
    ("said", "url"),
    [
        (LINK + DE, "https://n.example/1"),
        (DE + LINK, "https://n.example/1"),
        (DE.replace(' hreflang="de"', "") + LINK, "https://n.example/1"),
        (LINK + DE.replace(' hreflang="de"', ""), "https://n.example/1"),
        (DE + "<link/>", "https://n.example/de"),
        (GUID + LINK, "https://n.example/1"),
        (GUID, "https://n.example/g"),
        (GUID + "<link/>", "https://n.example/g"),
        ("<link> </link>" + GUID.replace("<guid", '<guid isPermaLink="true"'), "https://n.example/g"),
        (GUID.replace("<guid", '<guid isPermaLink="false"') + "<link/>", ""),
        ("<guid>tag:n.example,2026:1</guid><link/>", ""),
        ("<guid>1793</guid><link/>", ""),
    ],
)
def test_which_link_is_an_item_s(said: str, url: str, bad: str):
    """Its own, whatever others stand before or behind it; a permanent guid where that is empty."""
    feed = f"<rss version='2.0'><channel><title>N{bad}</title><item><title>T</title>{said}</item></channel></rss>"
    (entry,) = read(feed).entries
    assert entry.url == url


@pytest.mark.parametrize(
    ("links", "url"),
    [
        ('<link hreflang="de" href="/de"/><link href="/1"/><link hreflang="fr" href="/fr"/>', "/1"),
        ('<link href="/1"/><link rel="alternate" type="text/html" href="/2"/>', "/1"),
        ('<link hreflang="de" href="/de"/><link hreflang="fr" href="/fr"/>', "/de"),
        ('<link rel="alternate" type="application/json" href="/json"/><link href="/2"/>', "/2"),
        ('<link rel="alternate" type="application/json" href="/json"/>', "/json"),
        ('<link rel="related" href="/other"/><link href="/1"/>', "/1"),
    ],
)
def test_which_link_is_an_atom_entry_s(links: str, url: str):
    """The first page that is its alternate; one that names a language only where there is no other."""
    entry = f"<entry><title>T</title><id>urn:1</id>{links}</entry>"
    (found,) = read(f'<feed xmlns="http://www.w3.org/2005/Atom"><title>N</title>{entry}</feed>').entries
    assert found.url == f"https://site.example{url}"


def test_rdf():
    """RSS 1.0 with Dublin Core dates, in UTC; feedparser takes them for the time of the last change."""
    (entry,) = read(RDF).entries
    assert (entry.url, entry.updated) == ("https://r.example/1", datetime(2026, 11, 2, 10, tzinfo=UTC))


def test_json_feed():
    """Numbers as ids are let pass, items that say nothing are counted and left out."""
    parsed = read(feedserver.JSON)
    (entry,) = parsed.entries
    assert (parsed.kind, parsed.warnings) == ("json11", ("2 items that are no articles",))
    assert (entry.guid, entry.title, entry.text) == ("7", "Seven", "Text of seven")
    assert entry.published == datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("", Outcome.EMPTY),
        ("  \n", Outcome.EMPTY),
        ("{}", Outcome.NOT_A_FEED),
        ("[1, 2]", Outcome.NOT_A_FEED),
        ('{"version": "https://jsonfeed.org/version/1.1"}', Outcome.NOT_A_FEED),
        ('{"version": 1, "items": []}', Outcome.NOT_A_FEED),
        ('{"version": "https://jsonfeed.org/version/1", "items": [', Outcome.NOT_A_FEED),
        ("[" * 100_000, Outcome.NOT_A_FEED),
        ("<html><body>Sign in</body></html>", Outcome.NOT_A_FEED),
        ("<!DOCTYPE html><html><rss version='2.0'></rss></html>", Outcome.NOT_A_FEED),
        ("<opml version='2.0'><body/></opml>", Outcome.NOT_A_FEED),
        ("502 Bad Gateway", Outcome.NOT_A_FEED),
        ("<rss version='2.0'><channel></channel></rss>", Outcome.OK),
    ],
)
def test_what_is_a_feed(body: str, outcome: Outcome):
    """Error pages, other JSON and broken documents are no feeds; an empty feed is one."""
    assert read(body).outcome is outcome


def test_entries_are_bounded():
    """A feed of a million entries costs no more than two thousand."""
    parsed = read(feedserver.rss(MAX_ENTRIES + 5))
    assert len(parsed.entries) == MAX_ENTRIES
    assert parsed.warnings == (f"only {MAX_ENTRIES} of {MAX_ENTRIES + 5} entries read",)


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "file:///etc/passwd", "http://[", "https://x:y/", "mailto:a@b"]
)
def test_addresses_that_are_none(link: str):
    """Only http and https leave the reader as addresses; the entry itself stays."""
    feed = f"<rss version='2.0'><channel><item><title>T</title><link>{link}</link></item></channel></rss>"
    assert [entry.url for entry in read(feed).entries] == [""]


@pytest.mark.timeout(60)
def test_entity_bombs_do_not_go_off():
    """A billion laughs is not expanded, whatever comes of it: whole, it would be gigabytes, and never end."""
    parsed = read(feedserver.LAUGHS)
    assert all(len(entry.title) + len(entry.text) < 10_000 for entry in parsed.entries)


def test_external_entities_are_not_read(tmp_path: Path):
    """A feed can't have files of this machine read into its entries."""
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    feed = (
        f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]>'
        "<rss version='2.0'><channel><item><title>T &x;</title><description>&x;</description></item></channel></rss>"
    )
    assert "the secret" not in repr(read(feed))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["real", "malformed"])
def test_collections(name: str):
    """Every feed that others found worth keeping gives entries or an outcome with a reason, and no exception."""
    files = sorted(path for path in (COLLECTION / name).rglob("*") if path.is_file())
    if not files:
        pytest.skip(f"no {COLLECTION / name}")
    for path in files:
        parsed = parse(path.read_bytes(), HERE)
        assert parsed.outcome is Outcome.OK or parsed.error, path
        feed_by_name = path.suffix in {".rss", ".atom", ".rdf"}
        assert not feed_by_name or (parsed.outcome is Outcome.OK and parsed.entries), path
        for entry in parsed.entries:
            assert entry.title or entry.text, path
            assert "\n" not in entry.title, path
            assert entry.url.startswith(("http://", "https://")) or not entry.url, path
            assert not entry.published or entry.published.year >= 1990, path


def test_lists_of_the_collections():
    """The lists of feeds among them are read whole."""
    path = COLLECTION / "real" / "Subs.opml"
    if not path.is_file():
        pytest.skip(f"no {path}")
    listing = opml.parse(path.read_bytes(), path.name)
    assert len(listing.outlines) + listing.unusable == path.read_text(encoding="utf-8").count("xmlUrl=")
    assert len({each.given["id"] for each in opml.with_ids(listing.outlines, ())}) == len(listing.outlines)


@pytest.mark.parametrize(
    ("body", "content_type", "text", "encoding"),
    [
        ("naïve".encode(), "", "naïve", "utf-8"),
        (b"\xef\xbb\xbf<a/>", "text/xml; charset=iso-8859-1", "<a/>", "utf-8"),
        ("<a>ж</a>".encode("utf-16"), "", "<a>ж</a>", "utf-16-le"),
        ("<?xml version='1.0' encoding='koi8-r'?>ж".encode("koi8-r"), "", None, "koi8-r"),
        ("ж".encode("koi8-r") * 50, 'text/xml; charset="koi8-r"', "ж" * 50, "koi8-r"),
        ("“q”".encode("cp1252"), "text/xml; charset=ISO-8859-1", "“q”", "cp1252"),
        ("ж".encode(), "text/xml; charset=us-ascii", "ж", "utf-8"),
        ("日本".encode("iso-2022-jp"), "text/xml; charset=iso-2022-jp", "日本", "iso2022_jp"),
        (b"ab\xffcd" + b"x" * 500, "text/xml; charset=utf-8", None, "utf-8"),
        (b"caf\xe9 cr\xe8me", "", "café crème", "windows-1252"),
        ("ж".encode(), "text/xml; charset=unicode_escape", "ж", "utf-8"),
        ("ж".encode(), "text/xml; charset=rot13", "ж", "utf-8"),
    ],
)
def test_encodings(body: bytes, content_type: str, text: str | None, encoding: str):
    """Byte order mark, header, declaration, UTF-8, then a guess; codecs that are none of pages are not used."""
    decoded = decode(body, content_type)
    assert decoded.encoding == encoding
    assert text is None or decoded.text == text


NEWS = {
    "koi8-r": "Министр сказал в понедельник, что две бригады вышли из казарм и к ночи дойдут до реки.",
    "windows-1251": "Министр сказал в понедельник, что две бригады вышли из казарм и к ночи дойдут до реки.",
    "euc-jp": "大臣は月曜日に、二つの旅団が兵舎を出て夜までに川に着くと述べた。",
    "shift_jis": "大臣は月曜日に、二つの旅団が兵舎を出て夜までに川に着くと述べた。",
    "big5": "部長星期一說兩個旅已經離開營房將在入夜前抵達河邊。",
    "gb18030": "部长星期一说两个旅已经离开营房将在入夜前抵达河边。",
    "euc-kr": "장관은 월요일에 두 여단이 병영을 떠나 밤까지 강에 도착할 것이라고 말했다.",
    "windows-1255": "השר אמר ביום שני כי שתי חטיבות יצאו מהמחנות ויגיעו אל הנהר עד הלילה.",
    "windows-1252": "Le ministre a déclaré lundi que deux brigades ont quitté leurs casernes à l'aube.",
}


@pytest.mark.parametrize("encoding", NEWS)
def test_an_encoding_that_nobody_declared(encoding: str):
    """The bytes tell it: a headline in another script does not become letters of ours."""
    text = NEWS[encoding]
    feed = f"<rss version='2.0'><channel><item><description>{text * 3}</description></item></channel></rss>"
    (entry,) = parse(feed.encode(encoding), HERE).entries
    assert entry.text == text * 3


def feed_of_many_links(text: str, declaration: str = "", *, quoted: bool = False) -> str:
    """A feed most of which is markup and addresses, as feeds are."""
    text = f"<![CDATA[{text}]]>" if quoted else text
    item = (
        f"<item><title>{text}</title><link>https://site.example/{'a-path-of-many-words/' * 20}</link>"
        f'<enclosure url="https://pictures.example/{"wide/" * 60}" type="image/jpeg" length="1"/></item>'
    )
    return f"{declaration}<rss version='2.0'><channel><title>Le fil</title>{item * 30}</channel></rss>"


FRENCH = "Les deux armées se préparent"
UTF_8 = '<?xml version="1.0" encoding="UTF-8"?>'


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize(("declaration", "content_type"), [("", ""), (UTF_8, ""), ("", "text/xml; charset=utf-8")])
def test_accents_among_much_markup(declaration: str, content_type: str, *, quoted: bool):
    """Western text that is no UTF-8, declared as that or as nothing, keeps its accents however few they are."""
    body = feed_of_many_links(FRENCH, declaration, quoted=quoted).encode("windows-1252")
    for begin in (b"", codecs.BOM_UTF8):
        parsed = parse(begin + body, Source(HERE.url, content_type))
        assert {entry.title for entry in parsed.entries} == {FRENCH}
        assert len(parsed.warnings) == 1
        assert "taken for windows-1252" in parsed.warnings[0]


@pytest.mark.parametrize("declaration", ["", UTF_8])
def test_a_stray_byte_among_letters(declaration: str):
    """A feed that is UTF-8 but for one byte stays that: no letter of its other entries changes."""
    body = feed_of_many_links(FRENCH, declaration).encode().replace("é".encode(), b"\xe9", 1)
    parsed = parse(body, HERE)
    assert [entry.title for entry in parsed.entries[1:]] == [FRENCH] * 29
    assert "some bytes are no utf-8" in parsed.warnings
    assert decode(codecs.BOM_UTF8 + "é".encode() + b"\xff" + b"x" * 99, "").text.startswith("é")


@pytest.mark.parametrize("encoding", ["koi8-r", "windows-1251", "shift_jis", "windows-1255"])
def test_other_scripts_in_quotes_among_much_markup(encoding: str):
    """Where all the text stands in CDATA it is text, too: told where nothing is declared, refused as UTF-8."""
    text = NEWS[encoding]
    parsed = parse(feed_of_many_links(text, quoted=True).encode(encoding), HERE)
    assert {entry.title for entry in parsed.entries} == {text}
    declared = parse(feed_of_many_links(text, UTF_8, quoted=True).encode(encoding), HERE)
    assert declared.outcome is Outcome.BAD_ENCODING


def test_noise_in_no_encoding():
    """Where nothing can be told, nothing is made up."""
    body = b"<rss version='2.0'><channel><title>" + bytes(range(0x80, 0x100)) * 40 + b"</title></channel></rss>"
    assert parse(body, HERE).outcome in {Outcome.BAD_ENCODING, Outcome.NOT_A_FEED, Outcome.OK}
    assert not parse(body, HERE).entries


def test_declared_encoding_that_does_not_fit():
    """Text that would come out as gibberish is refused."""
    with pytest.raises(CharsetError, match="no utf-8"):
        decode("новости дня".encode("koi8-r"), "text/xml; charset=utf-8")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain < text & more", "plain < text & more"),
        ("<p>One.<p>Two.", "One.\nTwo."),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<b>bold</b>face", "boldface"),
        ("5 &lt; 6 &amp; &#8220;q&#8221; &nbsp;x", "5 < 6 & “q” x"),
        ("<script>bad('<p>')</script>good", "good"),
        ("<style>p{}</style><noscript>n</noscript>x", "x"),
        ("<div><form><form>x</form>y</form>z", "z"),
        ("wrapped\nline<p>next</p>", "wrapped line\nnext"),
        ("<p title='a>b'>t</p>", "t"),
        ("<p", "<p"),
        ("<!-- note -->x", "x"),
        ("<![if foo]>x<![endif]>", "x"),
        ("a\x00b\u202ec\u200bd\ud800", "abcd�"),
        ("<iframe src=x>", ""),
    ],
)
def test_plain_text(markup: str, text: str):
    """Broken markup loses its tags and none of its words; what hides from a reader goes."""
    assert from_html(markup) in {text, text.replace("<p", "")}


def test_plain_text_is_bounded():
    """However long or deep the markup, text and time are bounded."""
    assert len(from_html("<p>word " * 300_000)) <= MAX_TEXT
    assert from_html("<div>" * 100_000 + "x") == "x"
    assert one_line("<b>Two</b>\nlines ") == "Two lines"


MEDIA = '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><item>{}</item></channel></rss>'
OWN = "<title>T</title><link>https://t.example/1</link><guid>g</guid><description>Two brigades moved.</description>"
BESIDE = (
    "<related><title>R</title><link>https://r.example/</link><guid>r</guid><pubDate>Mon, 02 Nov 2020 11:30:00 GMT"
    "</pubDate><description>Another story, told at a good deal more length.</description></related>"
)


@pytest.mark.parametrize(
    "beside",
    [
        "<media:description>A tank in a picture, with a long caption.</media:description>",
        "<media:content><media:description>A tank in a picture, long.</media:description></media:content>",
        "<media:group><media:title>I</media:title><media:description>A tank, long.</media:description></media:group>",
        BESIDE,
        f"<related><item>{OWN.replace('Two', 'Twenty')}</item></related>",
        "<og><description>Short</description></og>",
        "<links type='x'/>",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_what_stands_in_an_entry_and_is_not_its_own(beside: str, *, first: bool):
    """A picture's caption, and the link, id, date and words of a story beside it, do not become the article's."""
    (entry,) = read(MEDIA.format(f"{beside}{OWN}" if first else f"{OWN}{beside}")).entries
    assert (entry.url, entry.guid, entry.title) == ("https://t.example/1", "g", "T")
    assert (entry.text, entry.published) == ("Two brigades moved.", None)


def test_a_caption_is_the_text_where_there_is_no_other():
    """Feeds of films have their words there."""
    film = "<title>T</title><media:group><media:description>What it shows.</media:description></media:group>"
    assert read(MEDIA.format(film)).entries[0].text == "What it shows."


def test_the_longest_text_counts():
    """A summary that is longer than the content is not lost."""
    feed = (
        "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><item><title>T</title>"
        "<content:encoded>Short.</content:encoded><description>A good deal longer.</description></item></channel></rss>"
    )
    assert read(feed).entries[0].text == "A good deal longer."


def test_texts_of_a_real_feed():
    """Captions of pictures do not replace the texts of a blog."""
    path = COLLECTION / "real" / "cloudblog.rss"
    if not path.is_file():
        pytest.skip(f"no {path}")
    assert min(len(entry.text) for entry in parse(path.read_bytes(), HERE).entries) > 1000


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE rss [<!ENTITY a "one"><!ENTITY b "&a;&a;">]>',
        "<!-- <rss> --><!DOCTYPE rss [<!-- ' ]> --><?p ]'?><!ENTITY a '<x>]'><!ENTITY b \"]\">]>",
        'junk <!DOCTYPE rss [<!ENTITY a "one"><!ENTITY b "two">]>',
        "<!DOCTYPE rss PUBLIC \"x [<!ENTITY a 'one'><!ENTITY b 'two'>]>",
        '<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "x"><!ENTITY ndash "&#8211;">]>',
    ],
)
def test_entities_of_a_feed_are_left_out(doctype: str):
    """Neither what they stand for goes out as news, nor their names; those of HTML mean what they mean there."""
    feed = "<rss version='2.0'><channel><item><title>T &a;&b; and &amp; &ndash; end</title></item></channel></rss>"
    parsed = read(f"{doctype}{feed}")
    assert [entry.title for entry in parsed.entries] == ["T and & \N{EN DASH} end"]
    assert any("of its own, left out" in warning for warning in parsed.warnings)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">',
        '<!DOCTYPE rss SYSTEM "x.dtd" [ <!ENTITY % HTMLlat1 PUBLIC "-//W3C//x" "http://www.w3.org/x.ent"> ]>',
        "<!doctype rss>",
    ],
)
def test_harmless_document_types(doctype: str):
    """What merely names a document type is read without a word."""
    feed = "<rss version='0.91'><channel><item><title>T</title></item></channel></rss>"
    parsed = read(f'<?xml version="1.0" encoding="ISO-8859-1"?>\n{doctype}\n{feed}')
    assert ([entry.title for entry in parsed.entries], parsed.warnings) == (["T"], ())


def test_a_document_type_without_an_end_takes_no_time():
    """What is made to be looked through again and again is refused at once; so are two of them."""
    assert read("<!DOCTYPE r><!DOCTYPE r [<!ENTITY a 'b'>]><rss version='2.0'/>").outcome is Outcome.NOT_A_FEED
    assert read("<!DOCTYPE r [" + "<!-- x --><" * 100_000).outcome is Outcome.NOT_A_FEED


def test_what_was_lost_of_a_text_is_said():
    """A text that was cut, and letters that were lost on their way to us, are told of; whole ones are not."""
    feed = "<rss version='2.0'><channel><item><description>{}</description></item></channel></rss>"
    assert read(feed.format("x " * MAX_TEXT)).warnings == (f"1 text cut at {MAX_TEXT} characters",)
    assert read(feed.format("Espa\N{REPLACEMENT CHARACTER}a")).warnings == ("1 entry with letters that can't be read",)
    assert read(feed.format("x " * 99)).warnings == ()


def test_markup_that_is_not_read_to_its_end_is_said():
    """Pictures that are written into the text may fill it: what stands behind them is lost, and told of."""
    markup = f"<p>Begin</p><img src='data:{'A' * MAX_MARKUP}'><p>End</p>"
    feed = f"<rss version='2.0'><channel><item><description><![CDATA[{markup}]]></description></item></channel></rss>"
    as_json = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "content_html": markup}]}
    for text in (feed, json.dumps(as_json)):
        parsed = read(text)
        assert parsed.entries[0].text.startswith("Begin")
        assert parsed.warnings == (f"1 text cut at {MAX_MARKUP} characters of markup",)
