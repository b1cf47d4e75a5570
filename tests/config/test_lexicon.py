"""The lexicon's loader: the packaged one is right, and a wrong one says where."""

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.lexicon import load_lexicon
from config.settings import PACKAGED


def test_packaged_lexicon_loads():
    """Every class that a pattern names exists, and every word leads to its patterns."""
    lexicon = load_lexicon(PACKAGED / "lexicon.yaml")
    assert {pattern.type for pattern in lexicon.by_word["invasion"]} == {"force"}


def test_unknown_class_is_named_with_its_line(tmp_path: Path):
    """A misspelt class is a fault at its pattern."""
    text = (PACKAGED / "lexicon.yaml").read_text(encoding="utf-8")
    path = tmp_path / "lexicon.yaml"
    path.write_text(text.replace("theme: [tests, missiles]", "theme: [tests, misiles]", 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="misiles") as caught:
        load_lexicon(path)
    assert caught.value.faults[0].line
    assert caught.value.faults[0].key.startswith("patterns[0]")


def test_unknown_need_is_refused(tmp_path: Path):
    """A need that nobody wrote a test for is a fault, not silence."""
    text = (PACKAGED / "lexicon.yaml").read_text(encoding="utf-8")
    path = tmp_path / "lexicon.yaml"
    path.write_text(text.replace("needs: [at_no_one]", "needs: [at_nobody]", 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="at_nobody"):
        load_lexicon(path)
