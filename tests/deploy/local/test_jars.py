"""The broker's jars are exactly those of the lock file, or there is an error."""

from __future__ import annotations

import hashlib
import sys

import pytest

from deploy.local import jars
from deploy.local.jar_lock import Jar, JarError, locked_jars, parse_lock
from deploy.local.jar_sources import Source, project_text, sources

BODY = b"not really a jar"
JAR = Jar("org.example", "thing", "1.2", hashlib.sha256(BODY).hexdigest(), len(BODY))


def _source(code: str) -> Source:
    """A source that runs Python code in its folder; ``jars`` holds the wanted file names."""
    return Source(
        "test", lambda wanted, _: [sys.executable, "-c", f"jars = {[jar.file_name for jar in wanted]!r}\n{code}"]
    )


WRITES = _source(f"for name in jars: open(name, 'wb').write({BODY!r})")


def test_lock_names_the_broker_its_client_and_a_log_backend():
    """Without the log backend the broker runs but writes no log; the lock must hold all three."""
    names = {jar.artifact for jar in locked_jars()}
    assert {"kafka_2.13", "kafka-clients", "log4j-slf4j-impl"} <= names


@pytest.mark.parametrize(
    "line",
    ["org.example:thing:1.2 abc 10", "org.example:thing " + "0" * 64 + " 10", "a:../b:1 " + "0" * 64 + " 1", "x"],
)
def test_bad_lock_line_is_named(line):
    """A damaged lock file must not be half read, and no line may lead out of the cache folder."""
    with pytest.raises(JarError, match="lock:2: not 'group:artifact:version"):
        parse_lock(f"# comment\n{line}\n", "lock")


def test_two_jars_of_one_file_name_are_refused():
    """They would overwrite each other in the cache."""
    line = f"g:a:1 {'0' * 64} 1\n"
    with pytest.raises(JarError, match=r"lock:2: a-1\.jar is there twice"):
        parse_lock(line + line.replace("g:", "h:"), "lock")


def test_missing_jars_arrive_and_are_counted(tmp_path, monkeypatch):
    """A jar that is not there is fetched, and whoever waits is told how many are here."""
    monkeypatch.setattr(jars, "sources", lambda: (WRITES,))
    seen: list[int] = []
    jars.fetch([JAR], tmp_path, seen.append, 30)
    assert (tmp_path / "jars" / "thing-1.2.jar").read_bytes() == BODY
    assert seen[0] == 0
    assert seen[-1] == 1
    assert [path.name for path in (tmp_path / "jars").iterdir()] == ["thing-1.2.jar"]


def test_next_source_is_tried(tmp_path, monkeypatch):
    """A source that has nothing must not be the end, where Maven or a mirror may have it."""
    monkeypatch.setattr(jars, "sources", lambda: (_source("raise SystemExit('no way')"), WRITES))
    jars.fetch([JAR], tmp_path, lambda _: None, 30)
    assert jars.missing(tmp_path, [JAR]) == ()


def test_wrong_bytes_never_reach_the_cache(tmp_path, monkeypatch):
    """A file of the right size but another hash, as an attacker would send, must be refused by name."""
    monkeypatch.setattr(jars, "sources", lambda: (_source("for n in jars: open(n, 'wb').write(b'NOT really a jar')"),))
    with pytest.raises(JarError, match=r"org\.example:thing:1\.2: test: "):
        jars.fetch([JAR], tmp_path, lambda _: None, 30)
    assert list((tmp_path / "jars").iterdir()) == []


def test_damaged_jar_in_the_cache_is_missing(tmp_path):
    """A jar that a full disk cut short must be fetched again, not given to Java."""
    path = tmp_path / "jars" / JAR.file_name
    path.parent.mkdir()
    path.write_bytes(BODY[:-1])
    assert jars.missing(tmp_path, [JAR]) == (JAR,)
    path.write_bytes(BODY)
    assert jars.missing(tmp_path, [JAR]) == ()


def test_source_that_hangs_is_ended(tmp_path, monkeypatch):
    """A server that drips for ever must end as an error within the time given."""
    monkeypatch.setattr(jars, "sources", lambda: (_source("import time; time.sleep(600)"),))
    with pytest.raises(JarError, match="took too long"):
        jars.fetch([JAR], tmp_path, lambda _: None, 0.5)


def test_folder_that_cannot_be_written_is_named(tmp_path):
    """The error must name the folder, since that is what the user can change."""
    (tmp_path / "jars").write_text("a file in the way")
    with pytest.raises(JarError, match=str(tmp_path / "jars")):
        jars.fetch([JAR], tmp_path, lambda _: None, 1)


def test_maven_is_asked_for_exactly_the_lock(monkeypatch):
    """Maven left to itself would choose other versions of what the jars depend on."""
    text = project_text([JAR])
    assert "<artifactId>thing</artifactId><version>1.2</version>" in text
    assert text.count("<exclusion>") == 1
    monkeypatch.setattr("deploy.local.jar_sources.shutil.which", lambda _: None)
    assert [source.name for source in sources()] == ["Beam's fetcher"]
