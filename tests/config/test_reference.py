"""The published reference of settings is that of the code."""

from config.reference import PATH, text


def test_settings_page_is_current():
    """A new setting must show in the docs: `make schemas` writes the page."""
    assert PATH.read_text(encoding="utf-8") == text()
