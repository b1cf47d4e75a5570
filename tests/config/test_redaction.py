"""What of an address may be seen: whatever characters it is made of."""

from __future__ import annotations

import string

import pytest

from config.redaction import MAX_SHOWN, shown

SECRET = "open-sesame"
IN_A_URL = [each for each in string.printable if not each.isspace()] + ["é", "日", "\u200b", "\udcff"]
AROUND = [
    "{}",
    "from '{}' to",
    '(found "{}")',
    "see <{}>, please",
    "{{'url': '{}', 'id': 'a'}}",
    "Error: {}: no answer",
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("character", IN_A_URL)
def test_no_character_lets_a_secret_out(character: str, around: str):
    """In path, query, fragment, user or password; the host is seen, and so are the words around the address."""
    for address in (
        f"https://wire.example/a{character}b/feed?token={SECRET}",
        f"https://wire.example/feed?a{character}b={SECRET}",
        f"https://wire.example/feed?a={character}{SECRET}",
        f"https://wire.example/feed#{character}{SECRET}",
        f"https://desk:{SECRET}{character}@wire.example/feed",
        f"https://desk:{character}{SECRET}@wire.example/feed",
        f"https://de{character.replace('/', '')}sk:{SECRET}@wire.example/feed",  # a slash ends a host: de/sk is a path
    ):
        told = shown(around.format(address))
        assert SECRET not in told, address
        before, _, behind = around.replace("{{", "{").replace("}}", "}").partition("{}")
        assert told.startswith(f"{before}https://")
        assert told.endswith(behind)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("https://wire.example/o'brien/feed?token=1", "https://wire.example/o'brien/feed?…"),
        ("https://wire.example/a (b)/feed?token=1&x", "https://wire.example/a (b)/feed?token=…"),
        ("wire.example/feed?token=1", "wire.example/feed?token=…"),
        ("https://wire.example:8443/@desk/feed", "https://wire.example:8443/@desk/feed"),
        ("http://[::1]:80/@desk", "http://[::1]:80/@desk"),
        ("https://wire.example:port/feed", "https://wire.example:port/feed"),
        (
            "http://u:p@a.example/ http://v@b.example/?x http://c.example/",
            "http://a.example/ http://b.example/?… http://c.example/",
        ),
        ("text/xml;charset=x, colou?r; why? 1 & 2 = 3", "text/xml;charset=x, colou?r; why? 1 & 2 = 3"),
    ],
)
def test_what_is_seen(said: str, told: str):
    """What tells the feed stays; and a text without an address stays as it is. Shown twice is shown once."""
    assert shown(said) == told
    assert shown(told) == told


def test_a_cut_shows_no_half_of_a_password():
    """Where a long text is cut within an address, what may be its user goes."""
    for length in range(MAX_SHOWN - 40, MAX_SHOWN):
        assert SECRET[:6] not in shown(f"{'x' * length} https://desk:{SECRET}@wire.example/")
