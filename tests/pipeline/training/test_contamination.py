"""The check that nothing of the texts that measure is in the corpus. All texts here are invented."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.training.contamination import by_likeness, check, longest_run, main, report, runs, sentences, words
from pipeline.training.corpus import Template

SECRET = "Seven grey herons guarded the old harbour wall while the mayor counted barrels of salted plums."


def template(text: str) -> Template:
    return Template("one.jsonl", 7, text, "wire", ())


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    for folder, name, content in (
        ("eval", "rows.jsonl", json.dumps({"id": "1", "deep": [{"text": SECRET}]})),
        ("streams", "day.jsonl", json.dumps({"title": "Nothing happened in the valley on that day at all"})),
        ("seed", "one.txt", "A quiet text. It says nothing."),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(content, encoding="utf-8")
    return tmp_path


def corpus(folder: Path, text: str) -> Path:
    folder.mkdir()
    row = {"text": text, "form": "wire", "events": [], "family": "animals"}
    (folder / "one.jsonl").write_text(json.dumps(row), encoding="utf-8")
    return folder


def test_placeholders_break_runs() -> None:
    """Names are filled at random, so a run never reaches across one; case and curly quotes make no difference."""
    assert words("{A.adj} Jets aren\u2019t HERE") == ["|", "jets", "aren't", "here"]
    assert runs("one two {A} three four", 2) == {"one two", "three four"}


def test_the_longest_run_counts() -> None:
    """The greatest shared length is told, and 0 where none is shared."""
    known = {2: {"a b", "b c"}, 3: {"a b c"}}
    assert longest_run("x a b c y", known) == 3
    assert longest_run("x b c y", known) == 2
    assert longest_run("c b a", known) == 0


def test_a_borrowed_run_fails_without_showing_the_text(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Eight words in common end with exit code 1; file and line are printed, the words never."""
    folder = corpus(tmp_path / "corpus", "In {A}, seven grey herons guarded the old harbour wall, it was said.")
    assert main(["--shared", str(shared), "--corpus", str(folder), "--words-only"]) == 1
    printed = capsys.readouterr().out
    assert "one.jsonl:1: TOO CLOSE: 8 words" in printed
    assert "heron" not in printed


def test_six_words_are_only_told(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shorter run may be chance: it is reported, and passes."""
    folder = corpus(tmp_path / "corpus", "Guarded the old harbour wall while, sang {A.people}.")
    assert main(["--shared", str(shared), "--corpus", str(folder), "--words-only"]) == 0
    assert "shares a run: 6 words" in capsys.readouterr().out


def test_without_the_folder_it_skips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the texts that measure are not at hand, nothing is checked, and that is said."""
    assert main(["--shared", str(tmp_path / "none")]) == 0
    assert capsys.readouterr().out.startswith("skipped: ")


def test_a_broken_file_is_told(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that can't be read must not pass for one without likeness."""
    (shared / "eval" / "bad.jsonl").write_text("{", encoding="utf-8")
    folder = corpus(tmp_path / "corpus", "{A} sleeps.")
    assert main(["--shared", str(shared), "--corpus", str(folder), "--words-only"]) == 1
    assert "contamination can't be checked: " in capsys.readouterr().err


def test_likeness_is_the_nearest_sentence(shared: Path) -> None:
    """Each line gets the cosine with its likest sentence, also across blocks, and from .9 on it is too close."""
    vectors = {"the country": (1.0, 0.0), "near": (0.96, 0.28), "far": (0.0, 1.0)}

    def embed(texts: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.array([vectors.get(str(text), (0.96, 0.28)) for text in texts], np.float32)  # type: ignore[attr-defined]

    assert by_likeness([template("{A}")], ["far", "near"], embed, block=1) == [pytest.approx(0.96)]
    found = check([template("{A}")], shared, embed)
    assert found[0].too_close
    assert list(report(found))[-1].startswith("1 lines, 1 too close, 0 share a run of 6 words or more")


def test_texts_are_cut_into_distinct_sentences() -> None:
    """Articles are compared sentence by sentence; scraps of one or two words are not."""
    assert sentences(["It rained on us. Twice. \u201cIt rained on us.\u201d", "It rained on us."]) == [
        "It rained on us.",
        "\u201cIt rained on us.\u201d",
    ]


def test_the_corpus_shares_no_long_run_with_what_measures() -> None:
    """Where the evaluation folder is at hand, no line of the corpus has eight words in a row from it."""
    folder = Path(__file__).parents[3].parent / "shared"
    if not (folder / "eval").is_dir():
        pytest.skip("needs ../shared/eval")
    assert main(["--shared", str(folder), "--words-only"]) == 0
