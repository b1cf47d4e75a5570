"""The page: valid nesting, everything escaped, nothing from elsewhere, whole or not at all."""

import re
from html.parser import HTMLParser

import pytest
from extraction_support import article

from config.errors import BrinkwatchError
from pipeline.explain import page
from pipeline.explain.files import whole

VOID = {"meta"}
TEXT = 'Turkey threatened to shell Greek islands if Athens deploys missiles.\n\n"We will attack," he said. It was dull.'


class Tags(HTMLParser):
    """Reads a page; fails on tags that do not close in order; keeps tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if "style" not in self.open else ""


def _page(engine, explainer, text: str, title: str = "", name: str = "one") -> Tags:
    one = article(text, title=title)
    body = page.article(explainer.explain(one, engine.extract([one])[0]), name, 1)
    return Tags(page.head() + body + page.foot(1))


def test_nests_and_links(engine, explainer):
    """Tags close in order; each trigger leads to its card, and each card is there once."""
    read = _page(engine, explainer, TEXT, title="Turkey threatens Greece")
    ids = [value for name, value in read.attributes if name == "id"]
    links = [value for name, value in read.attributes if name == "href"]
    assert len(ids) == len(set(ids))
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert "no trigger" in read.text


def test_needs_nothing_else(engine, explainer):
    """No script, no picture, no link out, no font from elsewhere; and a policy that forbids them."""
    read = _page(engine, explainer, TEXT)
    assert not {"script", "img", "link", "iframe", "form", "object"} & set(read.seen)
    assert all(value.startswith("#") for name, value in read.attributes if name in {"href", "src"})
    assert not re.search(r"url\(|@import|https?:", page.head())
    assert "default-src 'none'" in page.head()
    assert "prefers-color-scheme: dark" in page.head()


def test_hostile_text_is_text(engine, explainer):
    """Tags, entities and quotes in title, text and id stay text: no new tag, no new attribute."""
    hostile = 'Chad attacked Sudan <script>alert(1)</script> & "><img src=x onerror=y> on Monday. <b>&amp;'
    read = _page(engine, explainer, hostile, title=hostile, name='"><script>')
    assert not {"script", "img"} & set(read.seen)
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in read.text
    assert "&amp;" in read.text


def test_all_of_the_text_is_there(engine, explainer):
    """What the page shows of an article is its text, labels aside: no sentence is lost or doubled."""
    one = article("It rained in Paris.\nThe sun shone; 3 < 4.  \n\n- Then snow.")
    body = Tags(page.article(explainer.explain(one, engine.extract([one])[0]), "one", 1)).text
    shown = " ".join(body.split("Why ")[0].split())
    assert "It rained in Paris. The sun shone; 3 < 4. - Then snow." in shown


def test_written_whole_or_not_at_all(tmp_path):
    """A failure leaves the old page and no scrap of the new; success replaces it, readable as other new files are."""
    path = tmp_path / "page.html"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole(path) as sink:
        sink.write(f"half {1 // 0}")
    assert path.read_text() == "old"
    with whole(path) as sink:
        sink.write("new")
    assert path.read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]
    (tmp_path / "other").write_text("")
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode
    with pytest.raises(BrinkwatchError, match="nowhere"), whole(tmp_path / "nowhere" / "page.html"):
        pass
