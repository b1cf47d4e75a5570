"""The terminal: brackets where there are no colours, 80 columns, and no way to steer it from a headline."""

# ruff: noqa: RUF001 - the sign between type and modality

import io
import re

import pytest
from extraction_support import article

from pipeline.explain.terminal import STYLES, Teller

TEXT = "Turkey threatened on Friday to shell Greek islands if Athens deploys missiles, Reuters reported. It was dull."


class Terminal(io.StringIO):
    """A terminal, as far as rich can tell."""

    def isatty(self) -> bool:
        return True


def _told(engine, explainer, out: io.StringIO, text: str = TEXT, name: str = "one") -> str:
    one = article(text)
    Teller(out).tell(explainer.explain(one, engine.extract([one])[0]), name)
    return out.getvalue()


def test_plain_text_loses_nothing(engine, explainer):
    """Every role has its brackets, every signal its facts, and no escape sequence is written."""
    told = _told(engine, explainer, io.StringIO())
    assert "\x1b" not in told
    for words in (
        "[actor TUR: Turkey]",
        "[recipient GRC: Greek]",
        "[outlet: Reuters]",
        "force × threatened",
        "TUR, by name",
    ):
        assert words in " ".join(told.split())
    assert "“It was dull.” no trigger" in told
    assert max(map(len, told.splitlines())) <= 80


def test_colours_on_a_terminal(engine, explainer, monkeypatch):
    """A terminal gets the words without brackets, in colours that differ, 80 columns wide at least where it is."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    told = _told(engine, explainer, Terminal())
    bare = re.sub(r"\x1b\[[0-9;]*m", "", told)
    assert "\x1b[" in told
    assert "[actor" not in bare
    assert "Turkey threatened on Friday to shell Greek islands" in " ".join(bare.split())
    assert max(map(len, bare.splitlines())) <= 80
    assert len(set(STYLES.values())) == len(STYLES)


@pytest.mark.parametrize("variable", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_color_is_respected(engine, explainer, monkeypatch, variable):
    """With NO_COLOR, or on a dumb terminal, the brackets are back."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv(*variable)
    assert "[actor TUR: Turkey]" in _told(engine, explainer, Terminal())


def test_hostile_text_steers_nothing(engine, explainer):
    """Escapes in text or id reach the terminal as spaces; brackets are no markup of ours."""
    hostile = "Chad \x1b]0;owned\x07 attacked Sudan [bold]on Monday\u202e. \x1b[2J nothing."
    told = _told(engine, explainer, io.StringIO(), hostile, name="\x1b[2Jid")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", told)
    assert "[bold]" in told
