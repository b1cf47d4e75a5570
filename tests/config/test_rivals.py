"""Rivals: a wrong line is named, and a pair goes both ways."""

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.names import load_gazetteer
from config.rivals import Rivals, load_rivals
from config.settings import PACKAGED

KNOWN = frozenset({"KEN", "UGA", "TZA"})


def rivals(tmp_path: Path, text: str) -> Rivals:
    path = tmp_path / "rivals.yaml"
    path.write_text(text, encoding="utf-8")
    return load_rivals(path, KNOWN)


def test_packaged_file_is_right() -> None:
    """A code that the gazetteer lost would stop the service at its start."""
    found = load_rivals(PACKAGED / "rivals.yaml", load_gazetteer(PACKAGED / "gazetteer").codes())
    assert found.among(["POL", "RUS"])
    assert not found.among(["POL", "LTU"])


def test_pairs_go_both_ways(tmp_path: Path) -> None:
    """Who stands on the left is chance; one actor alone, however often named, is at odds with nobody."""
    found = rivals(tmp_path, "KEN: [UGA]\n")
    assert found.among(["UGA", "KEN"])
    assert found.among(["TZA", "KEN", "UGA"])
    assert not found.among(["KEN", "TZA"])
    assert not found.among(["KEN", "KEN"])


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("KEN: [XXX]\n", ":1", "found 'XXX'"),
        ("KEN:\n  - UGA\nZZZ: [UGA]\n", ":3", "found 'ZZZ'"),
        ("KEN: UGA\n", ":1", "a list of codes"),
        ("KEN: [KEN]\n", ":1", "another actor than itself"),
        ("- KEN\n", "", "a mapping"),
    ],
)
def test_faults_name_their_line(tmp_path: Path, text: str, where: str, what: str) -> None:
    """An operator must find the line that is wrong."""
    with pytest.raises(ConfigError) as caught:
        rivals(tmp_path, text)
    assert where in str(caught.value)
    assert what in str(caught.value)
