"""``brinkwatch config check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.testing import CliRunner

from pipeline.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_that_is_not_there(tmp_path: Path):
    """A slip in its name is one fault that says so, not one for each file."""
    done = CliRunner().invoke(app, ["config", "check", "--config", str(tmp_path / "none")])
    assert done.exit_code == 1
    where = f"{tmp_path}/none: the folder of the configuration, but there is no such folder"
    assert done.stdout.splitlines() == [where, "1 fault"]
