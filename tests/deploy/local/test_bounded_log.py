"""The output of a child can't fill the disk."""

from __future__ import annotations

import os
import threading

import pytest

from deploy.local.bounded_log import BoundedLog, LogPipe


def test_log_is_rotated_and_bounded(tmp_path):
    """However much is written, only the newest files stay, none past its limit, and the newest bytes are there."""
    log = BoundedLog(tmp_path / "logs" / "x.log", limit=100, older=2)
    for number in range(100):
        log.write(f"line {number:05}\n".encode())
    log.close()
    sizes = {path.name: path.stat().st_size for path in log.path.parent.iterdir()}
    assert set(sizes) == {"x.log", "x.log.1", "x.log.2"}
    assert max(sizes.values()) <= 100
    assert log.path.read_text().endswith("line 00099\n")


def test_log_is_continued(tmp_path):
    """A restart of the child must not lose why it died."""
    for word in (b"first\n", b"second\n"):
        log = BoundedLog(tmp_path / "x.log")
        log.write(word)
        log.close()
    assert log.path.read_bytes() == b"first\nsecond\n"


def test_log_that_could_not_be_rotated_goes_on(tmp_path):
    """A write that fails is an OSError, each time, and the log takes bytes again once it can."""
    log = BoundedLog(tmp_path / "x.log", limit=10, older=1)
    log.write(b"0123456789")
    (tmp_path / "x.log.1").mkdir()
    for _ in range(3):
        with pytest.raises(OSError, match=r"x\.log\.1"):
            log.write(b"lost")
    (tmp_path / "x.log.1").rmdir()
    log.write(b"kept")
    log.close()
    assert log.path.read_bytes() == b"kept"


def test_pipe_takes_everything_whatever_the_disk_says(tmp_path):
    """A child must never block or be killed because its log can't be written; all that was said arrives at the end."""
    (tmp_path / "x.log.1").mkdir()
    with LogPipe(BoundedLog(tmp_path / "x.log", limit=100, older=1)) as pipe:
        for _ in range(1000):
            os.write(pipe.writing, b"x" * 1000)
    pipe.join(15)
    assert not any(thread.name == "log x.log" for thread in threading.enumerate())


def test_start_that_fails_leaves_no_pipe(tmp_path):
    """A child that is tried for ever must not cost a thread or a file each time."""
    for _ in range(3):
        with pytest.raises(FileNotFoundError), LogPipe(BoundedLog(tmp_path / "y.log")) as pipe:
            raise FileNotFoundError
        pipe.join(15)
    assert not any(thread.name == "log y.log" for thread in threading.enumerate())
