"""Reading the corpus: what is authored must be readable, and what is wrong must be named by file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.training.corpus import FOLDER, MODALITIES, TYPES, CorpusError, count_events, load_corpus

GOOD = {"text": "{A} masses tanks near {B}", "form": "headline", "events": [["deployment", "asserted"]]}
QUIET = {"text": "{A.adj} bakers compete", "form": "headline", "events": [], "family": "food"}


def write(folder: Path, *rows: object) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "one.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_the_authored_corpus_is_sound() -> None:
    """Every line that is shipped passes the checks, and each type occurs asserted, negated and historical."""
    templates = load_corpus(FOLDER)
    counts = count_events(templates)
    assert len(templates) > 3000
    assert all(counts[kind, MODALITIES[0]] >= 15 for kind in TYPES)
    assert sum(not template.events for template in templates) >= 1000


def test_lines_become_templates(tmp_path: Path) -> None:
    """A good line keeps its words, labels and place; blank lines count as lines but are no templates."""
    first, second = load_corpus(write(tmp_path, GOOD, "", QUIET))
    assert (first.place, first.events) == ("one.jsonl:1", (("deployment", "asserted"),))
    assert (second.line, second.events, second.family) == (3, (), "food")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"text": ""}, "text: a sentence"),
        ({"text": "x" * 700}, "text: at most 600"),
        ({"text": "{D} attacks"}, "text: placeholders"),
        ({"text": "{A attacks"}, "text: placeholders"),
        ({"text": "{G.adj} attack"}, "without a form"),
        ({"form": "poem"}, "form: headline or wire"),
        ({"form": ["wire"]}, "form: headline or wire"),
        ({"events": None}, "events: a list"),
        ({"events": [["deployment"]]}, "events[0]: [type, modality]"),
        ({"events": [["party", "asserted"]]}, "a type of the codebook (found 'party')"),
        ({"events": [["force", "maybe"]]}, "a modality of the codebook (found 'maybe')"),
        ({"events": [["force", "asserted"], ["force", "asserted"]]}, "events[1]: each event once"),
        ({"events": []}, "family: of a negative"),
        ({"family": "food"}, "family: nothing"),
        ({"note": 1}, "note: no such key"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, change: dict[str, object], told: str) -> None:
    """Each thing that can be wrong is told with file, line and what should stand there."""
    with pytest.raises(CorpusError) as raised:
        load_corpus(write(tmp_path, QUIET, {**GOOD, **change}))
    assert "corpus can't be used: one.jsonl:2: " in str(raised.value)
    assert told in str(raised.value)


@pytest.mark.parametrize("line", ["{", "[]", "3", "null"])
def test_what_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    """Broken JSON and JSON of another kind are faults of their line, not crashes."""
    with pytest.raises(CorpusError, match=r"one\.jsonl:1: one JSON object"):
        load_corpus(write(tmp_path, line))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """An author sees every wrong line in one go, and a sentence that was written twice."""
    with pytest.raises(CorpusError) as raised:
        load_corpus(write(tmp_path, GOOD, {**GOOD, "text": "{A}  Masses tanks near {B}"}, "nonsense"))
    assert [fault.line for fault in raised.value.faults] == [3, 2]
    assert "found that of one.jsonl:1" in str(raised.value)


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    """A wrong path must not pass for an empty corpus."""
    with pytest.raises(CorpusError, match="at least one"):
        load_corpus(tmp_path / "none")


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are told with the file's name."""
    (tmp_path / "one.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(CorpusError, match=r"one\.jsonl: a readable UTF-8 file"):
        load_corpus(tmp_path)
