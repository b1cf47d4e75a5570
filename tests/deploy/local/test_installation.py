"""What the installation decides before it starts anything."""

from __future__ import annotations

import pydantic
import pytest

from config.settings import load_settings
from deploy.local import installation
from deploy.local.errors import PlatformError
from deploy.local.process import Port


def no_prism(settings, say):
    raise installation.PrismNotFound("no Prism here")


def test_without_prism_it_says_so_and_runs_for_trying_out(monkeypatch):
    """A machine that can't have Prism still shows the drill, with a warning that can't be missed."""
    monkeypatch.setattr(installation, "find_prism", no_prism)
    said = []
    chosen = installation.choose_runner(load_settings(), said.append)
    assert chosen.runner == "fnapi"
    assert said == [installation.NO_PRISM, installation.TRYING_OUT]


def test_prism_that_was_asked_for_is_not_replaced(monkeypatch):
    """Who names the runner gets it, or an error."""
    monkeypatch.setattr(installation, "find_prism", no_prism)
    settings = load_settings().model_copy(update={"runner": "prism"})
    with pytest.raises(installation.PrismNotFound):
        installation.choose_runner(settings, print)


def test_a_taken_metrics_port_is_named():
    """Three children that fail again and again in their logs would not tell."""
    with Port() as port:
        port._socket.listen()
        settings = load_settings().model_copy(update={"extract_metrics_port": port.number})
        with pytest.raises(PlatformError, match=str(port.number)):
            installation.check_ports(settings)


def test_children_get_the_settings_but_no_secret():
    """A process list shows nothing secret, and a child that overrides nothing still runs as its parent."""
    settings = load_settings().model_copy(update={"sasl_password": pydantic.SecretStr("hush"), "clock": "records"})
    env = installation.environment(settings)
    assert env["BRINKWATCH_CLOCK"] == "records"
    assert "hush" not in str(env)
    assert "BRINKWATCH_SASL_USERNAME" not in env  # None is not the text "None"
