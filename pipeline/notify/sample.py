"""A sample alert, by which an operator tries a receiver."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta

import msgspec

from config.endpoints import Endpoint
from config.receivers import Alertmanager, AnyReceiver
from pipeline.notify.deliver import Courier, Delivery
from pipeline.notify.sender import Sender
from pipeline.records import Alert, AlertEvidence, EventType, Level, Modality, Transition

PATIENCE_S = 30.0
LASTING_S = 60.0
SENTENCE = "Karvenia has moved 8,000 troops to its border with Belmora, officials said on Tuesday."


def sample(now: datetime) -> Alert:
    """An alert of the drill's invented states, raised at ``now``; each has an id of its own."""
    evidence = AlertEvidence(
        signal_id="0" * 32,
        article_id="0" * 32,
        url="https://straitswire.example/sample",
        source="straitswire.example",
        published_at=now - timedelta(minutes=20),
        event_type=EventType.DEPLOYMENT,
        modality=Modality.ASSERTED,
        sentence=SENTENCE,
        part="text",
        trigger="moved",
        trigger_span=(SENTENCE.index("moved"), SENTENCE.index("moved") + len("moved")),
        weight=6.5,
    )
    return Alert(
        alert_id=hashlib.sha256(f"sample {now.isoformat()}".encode()).hexdigest()[:32],
        sequence=1,
        transition=Transition.RAISED,
        level=Level.WATCH,
        previous_level=Level.CALM,
        dyad="XBM-XKV",
        rule="sample",
        rule_version="0" * 12,
        at=now,
        started_at=now,
        score=12.0,
        baseline=1.0,
        factors={},
        sources=2,
        stories=2,
        signals={"deployment/asserted": 2},
        evidence=(evidence,),
        summary="This is a test: a sample alert of a crisis between invented states. Nothing has happened.",
        magnitudes={"troops": 8000.0},
        drill=True,
    )


def hasty(receiver: AnyReceiver) -> AnyReceiver:
    """The receiver with half a minute's patience; what an Alertmanager is sent for a test expires after a minute."""
    bound = min(receiver.retry.deadline, PATIENCE_S)
    retry = receiver.retry.model_copy(update={"deadline": bound, "longest": min(receiver.retry.longest, bound)})
    changes: dict[str, object] = {"retry": retry}
    if isinstance(receiver, Alertmanager):
        changes["expire_after"] = LASTING_S
    return receiver.model_copy(update=changes)


async def send_sample(receiver: AnyReceiver, endpoint: Endpoint, now: datetime) -> Delivery:
    """Send the sample, whatever the receiver's filters say; without Kafka."""
    alert = msgspec.structs.replace(sample(now), level=Level(receiver.match.level))
    async with Sender() as sender:
        return await Courier(sender, hasty(receiver), endpoint).deliver(alert)


def try_receiver(receiver: AnyReceiver, endpoint: Endpoint, now: datetime) -> Delivery:
    """``send_sample`` for who has no event loop."""
    return asyncio.run(send_sample(receiver, endpoint, now))
