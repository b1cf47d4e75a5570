"""A configuration file is bounded in what it makes the reader do, however short it is."""

from __future__ import annotations

import pytest

from config.document import MAX_DEPTH, MAX_REPEATS, load
from config.errors import ConfigError

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LAUGHS, f"at most {MAX_REPEATS} nodes from aliases"),
        ("a: &a [*a]\n", f"at most {MAX_DEPTH} levels"),
        ("a: &a {b: *a}\n", f"at most {MAX_DEPTH} levels"),
        ("[" * 60 + "]" * 60, f"at most {MAX_DEPTH} levels"),
        ("[" * 100_000, "at most"),
        ("? [a, b]\n: c\n", "a key that is a word"),
    ],
)
def test_a_document_that_never_ends_is_a_fault(tmp_path, text, expected):
    """Aliases of aliases, a node within itself and brackets without end must be told, with no time or memory lost."""
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        load(path)
    assert expected in str(told.value)
    assert str(path) in str(told.value)


def test_ordinary_aliases_are_read(tmp_path):
    """Anchors save an operator from saying it twice: they stay."""
    path = tmp_path / "rules.yaml"
    path.write_text("base: &b {x: 1, y: [2, 3]}\nrules:\n" + "  - *b\n" * 500, encoding="utf-8")
    document = load(path)
    assert document.data["rules"] == [{"x": 1, "y": [2, 3]}] * 500
    assert document.line_of(("rules", 4, "x")) == 1
