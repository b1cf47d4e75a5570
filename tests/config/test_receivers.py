"""Receivers: what a file may say, what each mistake is told as, and that no secret shows."""

from __future__ import annotations

import base64

import pytest

from config.endpoints import load_endpoints
from config.errors import ConfigError
from config.receivers import load_receivers
from config.settings import load_settings

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
GOOD = """\
receivers:
  - name: ops
    type: webhook
    url: https://ops.example/hook
    secret_env: OPS_SECRET
    match: {level: warning, dyads: [RUS-UKR]}
  - name: desk
    type: slack
    url_file: /nowhere
  - name: am
    type: alertmanager
    url: http://127.0.0.1:9093
    resend: 1m
"""


def write(tmp_path, text):
    file = tmp_path / "receivers.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def faults(load, file):
    with pytest.raises(ConfigError) as caught:
        load(file)
    return caught.value.faults


def test_the_shipped_file_names_nobody():
    """A new installation tells nobody by surprise."""
    assert load_receivers(load_settings().receivers_file) == ()


def test_a_folder_without_the_file_names_nobody(tmp_path):
    """A folder that was copied before there were receivers stays valid."""
    settings = load_settings(config_dir=tmp_path)
    assert load_receivers(settings.receivers_file) == ()


def test_durations_and_defaults(tmp_path):
    """Durations are texts with a unit; what is not said is cautious: nothing muted, nothing old."""
    ops, desk, am = load_receivers(write(tmp_path, GOOD))
    assert (am.resend, am.expire_after, desk.retry.deadline) == (60, 1800, 600)
    assert (ops.match.muted, ops.start_at, ops.allow_http) == (False, "latest", False)


FAULTS = [
    ("    type: slack\n", "", 7, "receivers[1]"),
    ("name: desk", "name: ops", 7, "receivers[1].name"),
    ("name: desk", "name: The Desk", 7, "receivers[1].name"),
    ("type: slack", "type: pigeon", 7, "receivers[1]"),
    ("    secret_env: OPS_SECRET\n", "", 2, "receivers[0]"),
    ("secret_env: OPS_SECRET", "secret: abc", 5, "receivers[0].secret"),
    ("url_file: /nowhere", "url: https://hooks.example/T0/B0/token", 9, "receivers[1].url"),
    ("https://ops.example/hook", "http://ops.example/hook", 4, "receivers[0].url"),
    ("https://ops.example/hook", "ftp://ops.example/hook", 4, "receivers[0].url"),
    ("level: warning", "level: calm", 6, "receivers[0].match.level"),
    ("[RUS-UKR]", "[rus-ukr]", 6, "receivers[0].match.dyads[0]"),
    ("resend: 1m", "resend: 60", 13, "receivers[2].resend"),
    ("resend: 1m", "resend: 20m", 10, "receivers[2]"),
    ("resend: 1m", "retry: {first: 5m}", 13, "receivers[2].retry"),
    ("resend: 1m", "concurrency: 0", 13, "receivers[2].concurrency"),
]


@pytest.mark.parametrize(("found", "instead", "line", "key"), FAULTS)
def test_each_fault_names_its_line(tmp_path, found, instead, line, key):
    """Whoever edits the file is told the file, the line and the key."""
    assert found in GOOD
    told = faults(load_receivers, write(tmp_path, GOOD.replace(found, instead, 1)))
    assert [(fault.key, fault.line) for fault in told] == [(key, line)]


def test_http_goes_further_only_where_it_is_allowed(tmp_path):
    """Plain http to another host must be a decision, not an oversight."""
    text = GOOD.replace("https://ops.example/hook", "http://ops.example/hook\n    allow_http: true")
    assert load_receivers(write(tmp_path, text))[0].url == "http://ops.example/hook"


def test_secrets_come_from_variable_and_file(tmp_path, monkeypatch):
    """Keys are decoded, several while one is replaced; an address in a file loses its line end."""
    address = tmp_path / "slack"
    address.write_text("https://hooks.example/T0/B0/token\n")
    monkeypatch.setenv("OPS_SECRET", f"{KEY} {KEY}")
    (_, ops), (_, desk), (_, am) = load_endpoints(write(tmp_path, GOOD.replace("/nowhere", str(address))))
    assert ops.keys == (b"k" * 32, b"k" * 32)
    assert (desk.url, desk.is_secret) == ("https://hooks.example/T0/B0/token", True)
    assert (am.keys, am.is_secret) == ((), False)
    assert "token" not in repr(desk)
    assert "kkk" not in repr(ops)


@pytest.mark.parametrize(
    "address", ["http://hooks.example/T0/B0/token", "hooks/T0/B0/token", "https://u:token@hooks.example/", ""]
)
def test_a_bad_secret_is_told_without_being_shown(tmp_path, monkeypatch, address):
    """Each bad secret is a fault with its line, and its text stands nowhere in it."""
    file = tmp_path / "slack"
    file.write_text(address)
    monkeypatch.setenv("OPS_SECRET", "whsec_dG9rZW4=")
    told = faults(load_endpoints, write(tmp_path, GOOD.replace("/nowhere", str(file))))
    assert [(fault.key, fault.line) for fault in told] == [
        ("receivers[0].secret_env", 5),
        ("receivers[1].url_file", 9),
    ]
    assert "token" not in " ".join(map(str, told))
    assert "dG9r" not in " ".join(map(str, told))


def test_a_secret_that_is_not_there_is_named(tmp_path, monkeypatch):
    """The operator reads which variable and which file are missing."""
    monkeypatch.delenv("OPS_SECRET", raising=False)
    told = " ".join(map(str, faults(load_endpoints, write(tmp_path, GOOD))))
    assert "OPS_SECRET" in told
    assert "No such file" in told


def test_a_token_in_a_bad_address_is_not_shown(tmp_path):
    """An address that is refused may still hold a password: the fault does not repeat it."""
    told = faults(load_receivers, write(tmp_path, GOOD.replace("ops.example", "me:hunter2@ops.example")))
    assert "hunter2" not in " ".join(map(str, told))
