"""The guides: what they name is there. Commands and their options, targets of make, files, links, headings, values."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml
from charts import CHART, ROOT
from commands import fault_of

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ENDS = {"|", "||", "&&", "&", ";", ">", ">>", "\\", "…"}
"""Where a command ends in a line of a shell, or the page leaves the rest to the reader."""


def told(page):
    """The commands and code that a page shows, a line each: whole blocks, and words between backticks."""
    text = page.read_text(encoding="utf-8")
    # A block of yaml, or of what a program prints, holds no commands; a line that begins with one is one.
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()], re.findall(r"(?<!`)`([^`\n]+)`", rest)


def commands(page):
    """The words after each ``brinkwatch`` that a page tells to run."""
    lines, inline = told(page)
    for line in [*lines, *inline]:
        found = re.match(r"(?:\$ )?(?:(?:kubectl|docker)\b.*? )?(?:\.venv/bin/)?brinkwatch(?: (.*))?$", line.strip())
        # Of helm and of other programs of one name; of what a program says, "brinkwatch:".
        if found and not re.match(r"(?:helm|kubectl (?!.*exec)|docker (?!.*(exec|run)))", line.strip()):
            yield words_of(found[1] or "")


def words_of(text):
    """Words up to where the command ends, without the comment."""
    try:
        words = shlex.split(text, comments=True)
    except ValueError:  # a quotation that the page cut short
        words = text.split()
    end = next((at for at, word in enumerate(words) if word in ENDS or word.startswith("…")), len(words))
    return [word for word in words[:end] if not re.match(r"\d?>", word)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_are_ours(page):
    """A command or an option that was renamed is found by whoever follows the guide."""
    faults = {" ".join(words): fault for words in commands(page) if (fault := fault_of(words))}
    assert faults == {}


def test_commands_are_found_at_all():
    """The test before passes on a page in which it sees nothing."""
    found = {" ".join(words) for page in PAGES for words in commands(page)}
    assert {"topics apply", "watch", "alerts --json", "health --role extract", "deadletters list"} <= found
    assert fault_of(["connect", "--never"]) is not None
    assert fault_of(["nothing"]) is not None


def anchors(page):
    """The anchors of a page's headings, as they are made where Markdown is shown."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page):
    """A file that was moved, or a heading that was renamed, leaves its readers on the wrong page."""
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", link):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
                dead.append(link)
    assert dead == []


def test_targets_of_make_and_files_are_there():
    """`make WORD` and paths of this repository, wherever a page names them."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        lines, inline = told(page)
        for words in [*lines, *inline]:
            if found := re.match(r"make ([a-z-]+)", words):
                assert found[1] in targets, f"{page.name}: {words}"
        for path in inline:
            if re.fullmatch(r"(?:deploy|docs|tests|config|pipeline)/[\w./-]+\w", path):
                assert (ROOT / path).exists(), f"{page.name}: {path}"


def test_values_that_the_guide_names_are_values():
    """A value that was renamed is refused when somebody sets it as the guide says."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    kinds = "|".join(values)
    named = {
        words
        for words in told(ROOT / "docs" / "deploy.md")[1]
        if re.fullmatch(rf"(?:{kinds})(?:\.[a-zA-Z]+)+", words) and not (ROOT / words).exists()
    }
    assert len(named) > 10
    for words in sorted(named):
        at = values
        for word in words.split("."):
            assert word in at, words
            at = at[word]


def test_decisions_are_numbered_one_after_the_other():
    """Two records of one number, or a number that is missing, leave "decision 12" without a meaning."""
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for number, record in enumerate(records, start=1):
        assert record.read_text(encoding="utf-8").startswith(f"# {number}. "), record.name
        for shown, link in re.findall(r"\[decision (\d+)\]\((?:decisions/)?(\d{4})-", record.read_text()):
            assert int(shown) == int(link)
