"""Page: the article on an HTML page, without what stands around it; and whether it is all there.

Run it in the sandbox: parsing takes time and memory that grow with what comes from outside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
from w3lib.encoding import html_to_unicode

from connectors.outcome import Outcome
from connectors.plaintext import tidy

MAX_TEXT = 100_000
MAX_CANONICAL = 2_048
MAX_DATA = 200_000
MAX_NODES = 2_000
STUB = 1_500
"""Characters up to which a text that asks to subscribe counts as the beginning of one."""
_MARKERS = re.compile(
    r"subscribe (?:now )?to (?:continue|keep|read)|(?:continue|keep) reading (?:with|by|for)|already a subscriber"
    r"|(?:this (?:article|content|story)|full article) is (?:only )?(?:available )?(?:for|to|reserved for) "
    r"(?:our )?(?:paying |paid |premium )?(?:subscribers|members)|(?:subscribers|members)[ -]only"
    r"|to (?:continue|read) (?:reading )?(?:this|the (?:full|rest)).{0,40}(?:subscribe|sign in|log in|register)"
    r"|r[ée]serv[ée] aux abonn[ée]s|nur f[üu]r abonnenten|solo para suscriptores|riservato agli abbonati",
    re.IGNORECASE,
)
_SAME_SITE = re.compile(r"^(?:www\d?|m|mobile|amp)\.")


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What reading a page gave.

    Attributes:
        outcome: ``ok``, ``paywall``, ``no_text``, ``too_large`` or ``parse_failed``.
        text: The article's text, one line a paragraph; empty unless the outcome is ``ok``.
        canonical: The address that the page gives as its own, of the same site; empty where it gives none.
        error: Why the outcome is not ``ok``.
    """

    outcome: Outcome
    text: str = ""
    canonical: str = ""
    error: str = ""


def read(body: bytes, url: str, content_type: str) -> Page:
    """The article on a page that came from ``url``."""
    import trafilatura

    _, markup = html_to_unicode(content_type or None, body, default_encoding="utf-8")
    tree: Any = trafilatura.load_html(markup)
    if tree is None:
        return Page(outcome=Outcome.NO_TEXT, error="it is no HTML")
    canonical, closed = _canonical(tree, url), _not_free(tree)
    whole = " ".join(tree.xpath("//body//text()[not(parent::script or parent::style)]"))[:MAX_DATA]
    text = trafilatura.extract(tree, fast=True, include_comments=False, include_tables=False, include_formatting=False)
    text = tidy(text or "", MAX_TEXT)
    if closed or (len(text) < STUB and _MARKERS.search(" ".join(whole.split()))):
        why = "the page says that it is not free" if closed else "the page asks to subscribe"
        return Page(outcome=Outcome.PAYWALL, canonical=canonical, error=why)
    if not text:
        return Page(outcome=Outcome.NO_TEXT, canonical=canonical, error="no article was found on the page")
    return Page(outcome=Outcome.OK, text=text, canonical=canonical)


def same_site(one: str, other: str) -> bool:
    """Whether two addresses are of one site: the same host, but for www and its mobile sisters."""
    hosts = [_SAME_SITE.sub("", (urlsplit(url).hostname or "").lower().rstrip(".")) for url in (one, other)]
    return hosts[0] == hosts[1] != ""


def _canonical(tree: Any, url: str) -> str:
    """What ``<link rel=canonical>`` says, where it can be right: a front page is nobody's own address."""
    for link in tree.iter("link"):
        if "canonical" not in (link.get("rel") or "").lower().split():
            continue
        try:
            written = (link.get("href") or "").strip()
            target = urljoin(url, written) if written else ""
            parts = urlsplit(target)
            usable = parts.scheme in {"http", "https"} and not parts.username and same_site(target, url)
        except ValueError:
            return ""
        deep = len(parts.path.strip("/")) > 1 or bool(parts.query)
        return target if usable and deep and len(target) <= MAX_CANONICAL and target.isprintable() else ""
    return ""


def _not_free(tree: Any) -> bool:
    """Whether JSON-LD says ``isAccessibleForFree: false`` of the page or of a part of it (schema.org)."""
    for script in list(tree.iter("script"))[:200]:
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        text = (script.text or "")[:MAX_DATA]
        if "isAccessibleForFree" not in text:
            continue
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if any(str(node.get("isAccessibleForFree", "")).strip().lower().endswith("false") for node in _nodes(data)):
            return True
    return False


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    """The objects of ``data``, the first two thousand things in it."""
    waiting, seen = [data], 0
    while waiting and seen < MAX_NODES:
        node, seen = waiting.pop(), seen + 1
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
