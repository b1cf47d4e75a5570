"""The output of a child can't fill the disk."""

from __future__ import annotations

from deploy.local.bounded_log import BoundedLog


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
