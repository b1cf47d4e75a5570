"""Access blocks of the list of feeds, and the networks that are allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.feeds import check_feeds, load_feeds
from config.networks import networks
from config.settings import load_settings
from config.ways import Way

FEED = "feeds:\n  - {id: a, url: https://a.example/rss, access: desk}\n"


def write(folder: Path, block: str, feeds: str = FEED) -> Path:
    """A feeds file with one block."""
    path = folder / "feeds.yaml"
    path.write_text(f"access:\n  desk: {block}\n{feeds}", encoding="utf-8")
    return path


def test_a_feed_has_its_block(tmp_path: Path):
    """The files of a block count from the list's folder, and nobody looks into them yet."""
    path = write(tmp_path, '{username: u, password_file: secrets/a, proxy: "http://p:3128", allow: [10.1.0.0/16]}')
    (feed,) = load_feeds(path)
    assert feed.way == Way(
        "desk", username="u", password_file=tmp_path / "secrets/a", proxy="http://p:3128", allow=networks("10.1.0.0/16")
    )


def test_full_text_is_the_feeds_word_or_the_defaults(tmp_path: Path):
    """Pages are asked for only where the operator says so."""
    path = tmp_path / "feeds.yaml"
    feeds = "feeds:\n  - {id: a, url: https://a.example/}\n  - {id: b, url: https://b.example/, full_text: always}\n"
    path.write_text(feeds)
    assert [feed.full_text for feed in load_feeds(path)] == ["never", "always"]
    path.write_text(f"defaults: {{full_text: on_trigger}}\n{feeds}")
    assert [feed.full_text for feed in load_feeds(path)] == ["on_trigger", "always"]


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("{username: u}", "username and password_file together"),
        ("{password: open-sesame}", "access.desk.password: no such setting"),
        ("{username: u, password_file: a, bearer_file: b}", "not both"),
        ("{keyfile: a}", "a certfile"),
        ('{proxy: "http://u:open-sesame@p:1"}', "without user and password"),
        ('{proxy: "https://p:1"}', "http://host:port"),
        ("{proxy_username: u, proxy_password_file: a}", "a proxy, where"),
        ("{allow: [10.1.2.3/8]}", "networks such as"),
        ("{allow: [everything]}", "networks such as"),
    ],
)
def test_blocks_that_are_wrong(tmp_path: Path, block: str, why: str):
    """Each slip names the block, and a password that was written into the file is not shown again."""
    with pytest.raises(ConfigError) as caught:
        load_feeds(write(tmp_path, block))
    text = str(caught.value)
    assert why in text
    assert "access.desk" in text
    assert "sesame" not in text


def test_a_block_that_is_not_there(tmp_path: Path):
    """A feed that names no block of the file is a fault of that feed."""
    feeds = FEED + "  - {id: b, url: https://b.example/rss, access: des}\n"
    with pytest.raises(ConfigError, match=r"feeds.yaml:5: feeds\[1\].access: the name of a block .*'des'"):
        load_feeds(write(tmp_path, "{allow: [10.0.0.0/8]}", feeds))


def test_the_check_looks_for_the_files(tmp_path: Path):
    """A secret that is not there is told before a feed fails for it."""
    path = write(tmp_path, "{username: u, password_file: secret}")
    with pytest.raises(ConfigError, match=r"feeds.yaml:2: access.desk.password_file: a readable file \(.*No such file"):
        check_feeds(path)
    (tmp_path / "secret").write_text("open-sesame")
    assert len(check_feeds(path)) == 1


@pytest.mark.parametrize("text", ["10.0.0.0/8, 127.0.0.1", "::1,fd00::/8", ""])
def test_networks_that_can_be_allowed(text: str):
    """As an operator writes them."""
    assert load_settings(fetch_allow_networks=text).fetch_allow_networks == text


@pytest.mark.parametrize("text", ["10.0.0.1/8", "loopback", "10.0.0.0/99", ",".join(["10.0.0.0/8"] * 101)])
def test_networks_that_are_none(text: str):
    """A slip is told at the start: else a feed would stay blocked, or more would be allowed than was meant."""
    with pytest.raises(ConfigError, match="fetch_allow_networks"):
        load_settings(fetch_allow_networks=text)
