"""Signatures of pushes."""

from __future__ import annotations

import hub
import pytest

from connectors.websub.signature import METHODS, genuine

SECRET = "of the test"
BODY = b"<rss/>"


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_the_standard_is_known(method: str):
    """A hub chooses its method; hexadecimal digits and names may be in capitals."""
    signed = hub.signed(SECRET, BODY, method)
    assert genuine(signed, SECRET, BODY)
    assert genuine(signed.upper(), SECRET, BODY)
    assert not genuine(signed, SECRET, BODY + b" ")
    assert not genuine(signed, "another", BODY)


@pytest.mark.parametrize(
    "header",
    ["", "=", "sha256", "sha256=", "sha256=é", "sha256=\udcff", "md5=" + "0" * 32, "sha1=" + "0" * 4000, "new=1"],
)
def test_what_is_no_signature_signs_nothing(header: str):
    """Neither an unknown method, nor a digest that is none, nor what can't be written passes, or fails."""
    assert not genuine(header, SECRET, BODY)


def test_a_digest_of_another_method_does_not_pass():
    """The method that is named is the one that is used."""
    digest = hub.signed(SECRET, BODY, "sha256").partition("=")[2]
    assert not genuine(f"sha1={digest}", SECRET, BODY)
