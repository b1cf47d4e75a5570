"""Prism is found or got, started as our own child, and ends with us; Beam's Python side stays on loopback."""

from __future__ import annotations

import functools
import importlib.metadata
import subprocess
import sys
import textwrap

import psutil
import pytest
from processes import gone, until

from config.settings import load_settings
from deploy.local import prism_binary
from deploy.local.bounded_log import BoundedLog
from deploy.local.loopback import loopback_address
from deploy.local.prism import PrismError, PrismNotFound, find_prism, start_prism
from deploy.local.prism_binary import VERSION, Way, fault_of_binary, look, obtain, on_loopback_only
from deploy.local.prism_build import ANYWHERE, NotAsExpected, patched
from deploy.local.process import tail_of

MARK = "path\tgithub.com/apache/beam/sdks/v2/go/cmd/prism\nmod\tgithub.com/apache/beam/sdks/v2\t{}\th1:x\n"

CHATTY = """
    import socket, sys, time
    server = socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--job_port") + 1])))
    for number in range(10_000):
        print(f"warning {number:06}")
    print("the last line", flush=True)
    time.sleep(600)
"""


def _binary(path, version):
    """A file that says it was built from Prism of that version; it ends at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n# " + MARK.format(version) + "\nexit 3\n")
    path.chmod(0o755)
    return path


def test_version_is_beams():
    """Prism and Beam's Python side speak to each other in one version: ours must follow the pin."""
    assert importlib.metadata.version("apache-beam") == VERSION


def test_setting_wins_and_must_be_prism(tmp_path):
    """What the user named must be used or be told, never swapped in silence."""
    good = _binary(tmp_path / "prism", f"v{VERSION}")
    assert find_prism(load_settings(prism=good)) == good
    with pytest.raises(PrismNotFound, match=r"setting prism: .*nothing"):
        find_prism(load_settings(prism=tmp_path / "nothing"))


def test_other_prism_on_path_is_passed_over(tmp_path, monkeypatch):
    """An API mock server has the same name: it must not be started, and the cache still be looked into."""
    other = tmp_path / "bin" / "prism"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    monkeypatch.delenv("BRINKWATCH_PRISM", raising=False)
    settings = load_settings(cache_dir=tmp_path / "cache")
    path, tried = look(settings)
    assert path is None
    assert f"PATH: {other}: not Apache Beam's Prism" in tried
    cached = _binary(prism_binary.cached_path(settings.cache_dir), f"v{VERSION}")
    assert look(settings)[0] == cached


def test_other_version_is_a_fault(tmp_path):
    """A Prism of another Beam fails in ways that are hard to understand: it must be told before."""
    assert fault_of_binary(_binary(tmp_path / "prism", "v2.60.0")) == f"Prism v2.60.0, not v{VERSION}"


def test_only_the_one_line_is_changed():
    """Prism must listen on loopback, and be what Beam wrote in all else; a source that is another is not built."""
    source = f"before\n\tlis, err := {ANYWHERE}\nafter net.Listener\n"
    assert patched(source) == source.replace(ANYWHERE, 'net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))')
    for other in ("nothing", source + source, source + 'net.Listen("udp", "")'):
        with pytest.raises(NotAsExpected, match="does not listen where"):
            patched(other)


def test_prism_that_listens_everywhere_is_built_again_where_it_can_be(tmp_path, monkeypatch):
    """One that an older version left in the cache must not stay for ever; without Go it is better than none."""
    monkeypatch.delenv("BRINKWATCH_PRISM", raising=False)
    settings = load_settings(cache_dir=tmp_path / "cache")
    _binary(prism_binary.cached_path(settings.cache_dir), f"v{VERSION}")
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text("#!/bin/sh\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(go.parent))
    path, tried = look(settings)
    assert path is None
    assert "it listens on every interface" in tried[-1]
    monkeypatch.setenv("PATH", "")
    assert look(settings)[0] == prism_binary.cached_path(settings.cache_dir)


def test_first_way_that_works_is_used(tmp_path, monkeypatch):
    """A download that can't be reached must be followed by the build, and only a whole binary reach the cache."""
    source = _binary(tmp_path / "source" / "prism", f"v{VERSION}")
    said: list[str] = []
    ways = (
        Way("downloading", (sys.executable, "-c", "raise SystemExit('no network')"), 30),
        Way("building", ("/bin/sh", "-c", f'cp {source} "$OUT"/prism'), 30, {"OUT": "{folder}"}),
    )
    tried = obtain(tmp_path / "prism", ways, said.append)
    assert said == ["downloading", "building"]
    assert tried == ("downloading: no network",)
    assert fault_of_binary(tmp_path / "prism") is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prism", "source"]


def test_not_found_says_what_was_tried_and_what_to_do(tmp_path, monkeypatch):
    """The user must learn where it was looked for, why each way failed, and what to do; hanging ways are ended."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("BRINKWATCH_PRISM", raising=False)
    slow = Way("downloading", (sys.executable, "-c", "import time; time.sleep(600)"), 0.3)
    monkeypatch.setattr(prism_binary, "ways", lambda: (slow,))
    with pytest.raises(
        PrismNotFound, match=r"PATH: no prism there; .*downloading: took more than 0 s.*BRINKWATCH_PRISM"
    ):
        find_prism(load_settings(cache_dir=tmp_path), lambda _: None)


@pytest.mark.slow
def test_prism_starts_and_stops(prism, tmp_path):
    """It must answer on its endpoint, and leave nothing behind."""
    with start_prism(prism, tmp_path / "prism.log") as first, start_prism(prism, tmp_path / "prism.log") as second:
        assert first.port != second.port
        assert first.poll() is None
        assert any(c.laddr.port == first.port for c in psutil.Process(first.pid).net_connections("tcp"))
    assert first.poll() is not None
    assert gone(second.pid)


@pytest.mark.slow
def test_prism_listens_on_loopback_only(prism, tmp_path):
    """What reaches Prism can run code: nobody but this machine may."""
    if not on_loopback_only(prism):
        pytest.skip("a Prism of Beam's own build, which listens on every interface: there is no Go here")
    with start_prism(prism, tmp_path / "prism.log") as started:
        sockets = psutil.Process(started.pid).net_connections("inet")
        assert {c.laddr.ip for c in sockets if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


@pytest.mark.slow
def test_prism_ends_with_its_parent(prism, tmp_path):
    """SIGKILL to the job's process must not leave its Prism running."""
    script = f"""
        import time
        from pathlib import Path
        from deploy.local.prism import start_prism
        print(start_prism(Path({str(prism)!r}), Path({str(tmp_path / "log")!r})).pid, flush=True)
        time.sleep(600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    assert until(lambda: gone(pid))


def test_prism_that_ends_at_once_is_told(tmp_path):
    """A binary that can't run must end as an error that names its log."""
    with pytest.raises(PrismError, match=r"Prism can't be started: .*log"):
        start_prism(_binary(tmp_path / "prism", f"v{VERSION}"), tmp_path / "log")


def test_what_prism_prints_is_bounded(tmp_path, monkeypatch):
    """A Prism that runs for months and warns must not fill the disk; what it said last is kept."""
    chatty = tmp_path / "prism"
    chatty.write_text(f"#!{sys.executable}\n{textwrap.dedent(CHATTY)}")
    chatty.chmod(0o755)
    monkeypatch.setattr("deploy.local.prism.BoundedLog", functools.partial(BoundedLog, limit=10_000, older=1))
    log = tmp_path / "logs" / "prism.log"
    with start_prism(chatty, log):
        assert until(lambda: tail_of(log, 20).endswith("the last line"))
    assert sorted(path.name for path in log.parent.iterdir()) == ["prism.log", "prism.log.1"]
    assert all(path.stat().st_size <= 70_000 for path in log.parent.iterdir())  # one read past the limit at most


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("[::]:0", "127.0.0.1:0"),
        (b"0.0.0.0:8073", "127.0.0.1:8073"),
        (":80", "127.0.0.1:80"),
        ("localhost:1", "localhost:1"),
        ("unix:/tmp/x", "unix:/tmp/x"),
    ],
)
def test_wildcards_become_loopback(asked, given):
    """Only addresses that mean every interface are changed."""
    assert loopback_address(asked) == given


def test_beams_servers_listen_on_loopback_only():
    """A gRPC server as Beam makes it, asked for all interfaces, must be bound to 127.0.0.1; twice is harmless."""
    code = """
        from concurrent.futures import ThreadPoolExecutor
        import grpc, psutil
        from deploy.local.loopback import bind_loopback
        bind_loopback(); bind_loopback()
        server = grpc.server(ThreadPoolExecutor(1))
        port = server.add_insecure_port("[::]:0")
        server.start()
        print(*{c.laddr.ip.removeprefix("::ffff:") for c in psutil.Process().net_connections() if c.laddr.port == port})
        server.stop(None)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["127.0.0.1"]
