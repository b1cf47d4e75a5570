"""What a Slack-compatible incoming webhook is sent: a text for notifications, and blocks for the channel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from pipeline.notify.request import Request
from pipeline.records import Alert, AlertEvidence, Transition
from pipeline.watch.render import clean, level_of, words

HEADER = 150
"""Slack takes 150 characters of a header, and 3,000 of a section: the bounds below add up to less."""
SUMMARY = 500
EVIDENCE = 3
SENTENCE = 240
URL = 500
ANNOTATIONS = 5
_encoder = msgspec.json.Encoder()


def compose(alert: Alert) -> Request:
    """The message of a transition."""
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": clean(headline(alert), HEADER), "emoji": False}},
        *(_section(text) for text in _sections(alert)),
        {"type": "context", "elements": [{"type": "mrkdwn", "text": _context(alert)}]},
    ]
    text = bounded(f"{headline(alert)}: {alert.summary}", SUMMARY)
    return Request(_encoder.encode({"text": text, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}))


def headline(alert: Alert) -> str:
    """``[DRILL] WARNING RUS-UKR: raised``."""
    drill = "[DRILL] " if alert.drill else ""
    muted = " (muted)" if alert.muted is not None else ""
    return f"{drill}{level_of(alert).upper()} {alert.dyad}: {alert.transition}{muted}"


def escape(text: str) -> str:
    """``text`` with Slack's three control characters made harmless: no mention, no link of a headline's making.

    Source: https://docs.slack.dev/messaging/formatting-message-text
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def bounded(text: str, most: int) -> str:
    """``text`` on one line and escaped, in at most ``most`` characters: cut before it is escaped, so in no entity."""
    line = clean(text, most)
    while (over := len(escape(line)) - most) > 0:
        line = clean(line, len(line) - max(1, over // len("&amp;")))
    return escape(line)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _sections(alert: Alert) -> Iterator[str]:
    yield bounded(alert.summary, SUMMARY) or "(no summary)"
    if annotations := list(alert.annotations.items())[:ANNOTATIONS]:
        yield "\n".join(f"*{bounded(key, 60)}*: {bounded(text, SENTENCE)}" for key, text in annotations)
    if alert.transition is not Transition.RESOLVED and alert.evidence:
        yield "\n".join(f"• {_evidence(each)}" for each in alert.evidence[:EVIDENCE])


def _evidence(each: AlertEvidence) -> str:
    kind = f"{words(each.event_type)}, {each.modality}, {each.weight:+.1f}"
    return f"“{bounded(each.sentence, SENTENCE)}” — {_link(each)} ({kind})"


def _link(each: AlertEvidence) -> str:
    """The source's name, linked where the address can't break out of the link."""
    name = bounded(each.source, 60) or "unknown"
    safe = each.url.startswith(("https://", "http://")) and len(escape(each.url)) <= URL and each.url.isprintable()
    return f"<{escape(each.url)}|{name}>" if safe and not set(each.url) & set("<>| ") else name


def _context(alert: Alert) -> str:
    score = f"score {alert.score:.1f} (baseline {alert.baseline:.1f})"
    at = f"{alert.at:%Y-%m-%d %H:%M} UTC"
    return bounded(f"{score} · {alert.sources} sources · rule {alert.rule} · {at} · {alert.alert_id}", SUMMARY)
