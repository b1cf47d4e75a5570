"""Settings come from file, environment and command line, in that order; each fault names its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.kafka import connection
from config.settings import load_settings


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A configuration folder of the test's own, and an environment without ours."""
    import os

    for name in [name for name in os.environ if name.startswith("BRINKWATCH_")]:
        monkeypatch.delenv(name)
    return tmp_path


def write(folder: Path, text: str) -> Path:
    (folder / "service.yaml").write_text(text, encoding="utf-8")
    return folder


def faults(folder: Path, **overrides) -> list[str]:
    with pytest.raises(ConfigError) as error:
        load_settings(config_dir=folder, **overrides)
    return [str(fault) for fault in error.value.faults]


def test_order_of_sources(folder, monkeypatch):
    """A file beats the default, the environment beats the file, the command line beats both."""
    assert load_settings(config_dir=folder).score_batch == 20_000
    write(folder, "score_batch: 10\n")
    assert load_settings(config_dir=folder).score_batch == 10
    monkeypatch.setenv("BRINKWATCH_SCORE_BATCH", "20")
    assert load_settings(config_dir=folder).score_batch == 20
    assert load_settings(config_dir=folder, score_batch=30).score_batch == 30


def test_shipped_settings_are_valid(folder):
    """What we ship must load."""
    assert load_settings().config_dir.name == "config"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clock: wal\n", "service.yaml:1: clock: Input should be 'wall' or 'records' (found 'wal')"),
        ("\nscore_batch: 0\n", "service.yaml:2: score_batch: Input should be greater than or equal to 1 (found 0)"),
        ("colour: red\n", "service.yaml:1: colour: no such setting"),
        ("topic_prefix: 'A b'\n", "service.yaml:1: topic_prefix: String should match pattern"),
        ("metrics_dyads_always: RUS UKR\n", "service.yaml:1: metrics_dyads_always: String should match pattern"),
        ("websub_callback_url: http://news.example/\n", "service.yaml:1: websub_callback_url: String should match"),
        (
            "websub_callback_url: https://news.example/?a=1\n",
            "service.yaml:1: websub_callback_url: String should match",
        ),
        ("- a\n", "service.yaml:1: a mapping of settings"),
        ("a: b: c\n", "service.yaml:1: valid YAML (mapping values are not allowed here)"),
        ("clock: wall\nclock: records\n", "service.yaml:2: clock: each key once, but it stands twice"),
        ("sasl_password: hunter2\n", "service.yaml:1: sasl_password: a secret comes from the environment or a file"),
    ],
)
def test_each_fault_names_file_line_and_key(folder, text, expected):
    """One bad file for each rule: the operator must see where, which key, and what was expected."""
    (found,) = faults(write(folder, text))
    assert expected in found


def test_every_fault_is_reported(folder):
    """Fixing one fault must not reveal the next."""
    assert len(faults(write(folder, "clock: x\nscore_batch: y\ncolour: z\n"))) == 3


def test_fault_in_the_environment_names_the_variable(folder, monkeypatch):
    """A bad variable is found by its name."""
    monkeypatch.setenv("BRINKWATCH_CLOCK", "sundial")
    (found,) = faults(folder)
    assert found.startswith("environment: BRINKWATCH_CLOCK: ")


def test_fault_on_the_command_line(folder):
    """A bad option is not blamed on a file."""
    (found,) = faults(folder, score_batch=0)
    assert found.startswith("command line: score_batch: ")


def test_secret_from_file_never_shows(folder, tmp_path, monkeypatch):
    """A password comes from its file, and no print of the settings shows it."""
    secret = tmp_path / "password"
    secret.write_text("s3cret\n", encoding="utf-8")
    monkeypatch.setenv("BRINKWATCH_SASL_PASSWORD_FILE", str(secret))
    monkeypatch.setenv("BRINKWATCH_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("BRINKWATCH_SASL_USERNAME", "ann")
    settings = load_settings(config_dir=folder)
    assert connection(settings, "x")["sasl_plain_password"] == "s3cret"
    assert "s3cret" not in repr(settings)
    monkeypatch.setenv("BRINKWATCH_SASL_PASSWORD_FILE", str(tmp_path / "absent"))
    (found,) = faults(folder)
    assert "BRINKWATCH_SASL_PASSWORD_FILE" in found
