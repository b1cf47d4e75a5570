"""Reports: what they show, that words from outside stay words, that they are bounded, and the same bytes again."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
import samples
from msgspec import structs
from timelines import DYAD, at, life, rules, told

from config.errors import BrinkwatchError
from pipeline.evaluation.episodes import Stretch, episodes
from pipeline.evaluation.lead_time import judge
from pipeline.evaluation.truth import Event
from pipeline.records import Level
from pipeline.report import content
from pipeline.report.chart import svg, thinned
from pipeline.report.content import Source, gather
from pipeline.report.make import check, make
from pipeline.timeline import timeline

HOSTILE = '<script>alert(1)</script> "quoted" & $x^2$ \x1b[31m \u202eover'
SIGNALS = [(DYAD, told(hour, f"s{hour}", 9.0)) for hour in range(0, 40, 8)]
ALERTS = life("1", DYAD, (8, Level.WATCH), (24, Level.WARNING), (90, Level.CALM))


class Tags(HTMLParser):
    """Which tags a page has, and what its attributes point at."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        """Note it."""
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in {"href", "src", "xlink:href"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """A tag that ends itself opens nothing."""
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        """Each ends what was opened last."""
        assert self.open.pop() == tag


def report(alerts=ALERTS, signals=SIGNALS, events=(), name="crisis.jsonl"):
    """The content of a report."""
    points = {DYAD: timeline(DYAD, [signal for _, signal in SIGNALS], rules(), at(100))}
    judged = judge(episodes(alerts), events, Stretch(at(0), at(100)), [DYAD]) if events else None
    return gather(Source(name, 7, at(0), at(100), signals, alerts, points), rules(name="escalation"), judged)


def written(path, what):
    """What a report's file holds."""
    make(what, path)
    return path.read_bytes()


@pytest.fixture
def html(tmp_path):
    """Makes a page, and gives its text."""
    return lambda what: written(tmp_path / "r.html", what).decode()


def test_a_page_says_what_happened(html):
    """Title, period, levels with their times, rule, evidence with the trigger marked, and the tables."""
    text = html(report(events=[Event(DYAD, at(30), note="war")]))
    for part in (
        "<h1>1 alert on 1 dyad</h1>",
        "6 May 2031 to 10 May 2031",
        "Arvia <mark>moved</mark> 4,000 troops",
        "deployment × asserted",  # noqa: RUF001  a product
        "rule <b>escalation</b>",
        '<span class="pill warning">warning</span> <time datetime="2031-05-07T00:00:00+00:00">7 May 00:00</time>',
        "early by 22 h",
    ):
        assert part in text
    assert re.search(r"<td>deployment</td><td>5</td>", text)
    assert re.search(r'BRN</a></td><td><span class="pill warning">.*<td>1</td><td>5</td><td>5</td><td>5</td>', text)


def test_a_page_needs_nothing_from_anywhere(html):
    """No script, no picture, no font, no style sheet; links lead to dyads on the page, or to sources over the web."""
    text = html(report())
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    assert not tags.tags & {"script", "img", "link", "iframe", "object", "embed", "base", "form"}
    outside = [link for link in tags.links if not link.startswith("#")]
    assert set(outside) == {"https://wire.example/1"}
    assert "url(http" not in text
    assert "default-src 'none'" in text


def test_hostile_words_stay_words(html, tmp_path):
    """Everything that an article, a rule or a file's name can say is escaped; what is no web address is no link."""
    evidence = structs.replace(samples.alert().evidence[0], sentence=HOSTILE, source=HOSTILE, url="javascript:alert(1)")
    texts = {"labels": {HOSTILE: HOSTILE}, "annotations": {HOSTILE: HOSTILE}, "magnitudes": {HOSTILE: 3.0}}
    alerts = [
        structs.replace(each, evidence=(evidence,), summary=HOSTILE, rule=HOSTILE, rule_version=HOSTILE, **texts)
        for each in ALERTS
    ]
    what = report(alerts, events=[Event(DYAD, at(30), note=HOSTILE)], name=HOSTILE)
    text = html(what)
    tags = Tags()
    tags.feed(text)
    assert "script" not in tags.tags
    assert not any("javascript" in link for link in tags.links)
    assert not re.search("[\x1b\u202e]", text)
    assert "&lt;script&gt;" in text
    assert written(tmp_path / "r.png", what).startswith(b"\x89PNG")


def test_a_trigger_that_lies_outside_marks_nothing(html):
    """A span from another version of the sentence must neither fail nor mark the wrong words."""
    evidence = structs.replace(samples.alert().evidence[0], trigger_span=(500, 510))
    assert "<mark>" not in html(report([structs.replace(each, evidence=(evidence,)) for each in ALERTS]))


def test_a_report_is_bounded(html, monkeypatch):
    """Of many dyads, episodes and points the gravest and latest are shown, and what is left out is counted."""
    monkeypatch.setattr(content, "MAX_PANELS", 2)
    monkeypatch.setattr(content, "MAX_EPISODES", 3)
    monkeypatch.setattr(content, "MAX_ROWS", 4)
    names = ["ARV-CAL", "ARV-DOR", "ARV-EST", "ARV-FEN", "ARV-GOT"]
    alerts = [each for number, name in enumerate(names) for each in life(str(number), name, (8 + number, Level.WATCH))]
    more = [each for digit in "56789" for each in life(digit, DYAD, (float(digit), Level.CRITICAL), (50, Level.CALM))]
    signals = [(name, told(1, name)) for name in [*names, DYAD]]
    text = html(report(alerts + more, signals))
    assert text.count("<svg") == 2
    assert "4 more dyads with alerts have no chart here." in text
    assert "2 earlier alerts of this dyad not shown." in text
    assert "2 more dyads had signals." in text
    points = timeline(DYAD, [signal for _, signal in SIGNALS], rules(), at(5000))
    assert len(thinned(points)) <= 1500
    assert max(point.score for point in thinned(points)) == max(point.score for point in points)


def test_charts_are_drawings(tmp_path):
    """The chart is well-formed, names the levels' thresholds, and grows with its place."""
    what = report()
    drawn = svg(what.panels[0], what.period)
    root = ET.fromstring(drawn)  # noqa: S314  drawn here
    said = " ".join("".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "watch 10" in said
    assert "warning 20" in said
    assert root.get("viewBox")
    assert root.get("width") is None


def test_the_same_bytes_again(tmp_path):
    """Nothing of a report depends on when, or how often, it is made."""
    for name in ("r.html", "r.png"):
        assert written(tmp_path / name, report()) == written(tmp_path / name, report())


def test_nothing_to_report(html, tmp_path):
    """No article, no alert: a page and a picture that say so."""
    empty = gather(Source("x", 0, None, None, [], [], {}), rules())
    assert "<h1>No alerts</h1>" in html(empty)
    assert written(tmp_path / "r.png", empty).startswith(b"\x89PNG")


def test_other_files_are_refused(tmp_path):
    """Before the long work, not after it."""
    with pytest.raises(BrinkwatchError, match=r"r\.pdf: a file that ends with \.html or \.png"):
        check(tmp_path / "r.pdf")


def test_a_report_that_cannot_be_written_says_so(tmp_path):
    """The error names the file."""
    with pytest.raises(BrinkwatchError, match=r"writing failed: .*none/r\.html"):
        make(report(), tmp_path / "none" / "r.html")
