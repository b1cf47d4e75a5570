"""What Brinkwatch consists of is known, listed, and under licences that let it be used."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy import audit
from deploy.dependencies import ALLOWED, PAGE, Dependency, is_refused, jars, packages, prism, text
from deploy.sbom import bom

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


def everything() -> list[Dependency]:
    return [*packages(), *jars(), prism()]


@pytest.mark.skipif(sys.version_info[:2] != (3, 11) or sys.platform != "linux", reason="the page is of Python 3.11")
def test_page_is_current():
    """A new dependency, version or licence must show in the docs: `make schemas` writes the page."""
    assert PAGE.read_text(encoding="utf-8") == text()


def test_no_dependency_has_a_licence_that_is_refused():
    """A licence that nobody knows, or that reaches further than its own code, must stop a change of dependencies."""
    assert [(each.name, each.licence) for each in everything() if is_refused(each.licence)] == []
    assert {each.licence for each in everything()} >= set(ALLOWED)  # what is no longer needed is no longer allowed


@pytest.mark.parametrize("licence", ["AGPL-3.0-only", "GPL-3.0-or-later", "SSPL-1.0", "unknown", "MIT AND GPL-2.0"])
def test_licences_that_are_refused(licence):
    """Those that ask for more than we give."""
    assert is_refused(licence)


def test_every_package_is_pinned():
    """What is listed and what is installed elsewhere are the same versions."""
    pinned = dict(
        re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)", line).groups()
        for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    by_name = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pinned.items()}
    assert {each.name: each.version for each in packages()}.items() <= by_name.items()


def test_bill_holds_all_with_checksums_and_repeats():
    """A scanner finds each by its package URL; two runs give the same bytes, or a release could not be compared."""
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    def write():
        made = bom(everything(), "1.2.3", datetime(2026, 1, 1, tzinfo=UTC))
        return make_outputter(made, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string()

    written = json.loads(write())
    assert {component["purl"] for component in written["components"]} == {each.purl for each in everything()}
    digests = {c["hashes"][0]["content"] for c in written["components"] if c.get("hashes")}
    assert digests == {each.sha256 for each in jars()}
    assert write() == write()


KNOWN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "CVE-2026-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        ([KNOWN], 0, "no known vulnerability in 1 packages"),
        ([KNOWN, BAD], 1, "b 2: CVE-2026-1, mended in 3"),
        ([KNOWN, SKIPPED], 2, "1 of 2 packages are not in the database"),
        ([SKIPPED, BAD], 1, "b 2: CVE-2026-1"),
        (None, 2, "can't be reached; nothing is known: timed out"),
    ],
)
def test_what_could_not_be_asked_is_no_good_news(found, code, said):
    """An audit without its database must never look like one without findings."""
    stdout = "" if found is None else json.dumps({"dependencies": found})
    got, lines = audit.verdict(stdout, "some trace\ntimed out\n")
    assert got == code
    assert said in "\n".join(lines)
