"""The image's recipe: clean to its linter, of the versions that the project has, and safe to run as it is."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from charts import ROOT, run, tool

from config.settings import PREFIX, Settings

DOCKERFILE = ROOT / "deploy" / "image" / "Dockerfile"
TEXT = DOCKERFILE.read_text()
FINAL = TEXT[TEXT.rindex("\nFROM ") :]


def test_hadolint_finds_nothing():
    """Every rule of the linter holds; an exception stands in the file, with its reason above it."""
    done = run([tool("hadolint"), "--no-color", str(DOCKERFILE)])
    assert done.returncode == 0, done.stdout


def test_prism_is_built_as_on_any_machine():
    """Beam's own build listens on every interface, and must be of Beam's version: ours is built beside that Beam."""
    (stage,) = re.findall(r"^FROM dependencies AS prism\n(.*?)^FROM ", TEXT, re.MULTILINE | re.DOTALL)
    assert "COPY deploy/local/prism_build.py ./\n" in stage
    assert "/opt/brinkwatch/bin/python prism_build.py /out\n" in stage
    assert "COPY --from=prism /out/prism /usr/local/bin/prism\n" in FINAL
    assert "apache/beam" not in TEXT


def test_builder_of_prism_needs_nothing_of_ours():
    """The recipe copies that one file, so that Prism is not built again for each change: it must stand by itself."""
    imports = [
        [alias.name for alias in node.names] if isinstance(node, ast.Import) else [str(node.module)]
        for node in ast.walk(ast.parse((ROOT / "deploy" / "local" / "prism_build.py").read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    modules = {name.split(".")[0] for names in imports for name in names}
    assert modules
    assert modules <= sys.stdlib_module_names


def test_final_stage_builds_nothing_and_is_nobody():
    """What runs must hold no compiler, no pip cache and no root: a numeric user, so that Kubernetes can tell."""
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", FINAL, re.MULTILINE)
    installed = re.findall(r"apt-get install --yes --no-install-recommends (\S+)", FINAL)
    assert installed == ["tini"]
    assert not re.search(r"pip|gcc|build-essential|\bgo\b", FINAL)


def test_environment_is_of_known_settings():
    """A setting that was renamed must not go on, unheard, in the image."""
    named = set(re.findall(rf"\b{PREFIX}([A-Z_]+)=", FINAL))
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_bases_can_be_pinned_without_changing_the_file():
    """Each stage must start from an argument, so that a digest can be given, or from such a stage."""
    stages = re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE)
    assert stages == ["${GO_IMAGE}", "${PYTHON_IMAGE}", "dependencies", "dependencies", "${PYTHON_IMAGE}"]


def test_what_is_copied_reaches_the_build():
    """.dockerignore lets nothing through but what is named: a folder that the recipe copies must be."""
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", TEXT, re.MULTILINE) for word in line.split()}
    assert copied
    assert {Path(path).parts[0] for path in copied} <= allowed
    assert all((ROOT / path).exists() for path in copied)
