"""Composing: what a receiver of each kind is sent for a transition."""

from __future__ import annotations

from datetime import datetime

from config.endpoints import Endpoint
from config.receivers import Alertmanager, AnyReceiver, Slack, Webhook
from pipeline.notify import alertmanager, slack, webhook
from pipeline.notify.request import Request
from pipeline.records import Alert


def compose(receiver: AnyReceiver, endpoint: Endpoint, alert: Alert, now: datetime) -> Request:
    """The POST for one try at ``now``."""
    match receiver:
        case Webhook():
            return webhook.compose(alert, endpoint.keys, now)
        case Slack():
            return slack.compose(alert)
        case Alertmanager():
            return alertmanager.compose(alert, receiver, now)
