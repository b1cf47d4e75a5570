"""The threat model names what shows that it holds; what it names must be there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_threat_model_names_exists():
    """A claim whose test was moved or removed is a claim without one."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[a-z_/]+(?:\.py)?)`", text)
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []
    short = re.findall(r"`(test_[a-z_]+\.py)`", text)
    assert [name for name in short if not list((ROOT / "tests").rglob(name))] == []
