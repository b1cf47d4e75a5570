"""An installation whose receivers are a test's own."""

from __future__ import annotations

import asyncio
import base64

from samples import alert
from service import Process, Topic

from config.endpoints import load_endpoints
from pipeline.kafka.client import producer
from pipeline.notify.service import run
from pipeline.records import Transition, encode
from pipeline.records.headers import cloudevent
from pipeline.records.topics import Topics

KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
HOOK = """
  - name: {name}
    type: webhook
    url: {url}
    secret_env: HOOK_SECRET
    timeout: {timeout}
    start_at: {start_at}
    retry: {{first: 50ms, longest: 200ms, deadline: {deadline}}}
    {more}
"""


class Notified:
    """An installation with receivers of the test's own."""

    def __init__(self, broker, folder) -> None:
        config = folder / "config"
        config.mkdir()
        settings = broker.settings("notify")
        self.topics = Topics(settings.topic_prefix)
        self.settings = settings.model_copy(update={"config_dir": config, "notify_metrics_port": 0})
        self.folder, self.listed = folder, []

    def hook(self, url: str, name: str = "ops", **changes) -> None:
        """A webhook more."""
        values = {"start_at": "earliest", "timeout": "5s", "deadline": "20s", "more": ""} | changes
        self.listed.append(HOOK.format(name=name, url=url, **values))
        text = "receivers:" + "".join(self.listed)
        (self.settings.config_dir / "receivers.yaml").write_text(text, encoding="utf-8")

    def process(self, *options: str) -> Process:
        """The process."""
        return Process(self.settings, "notify", *options, folder=self.folder, HOOK_SECRET=SECRET)

    def once(self) -> None:
        """Deliver what waits, as ``--once`` does."""
        ready = load_endpoints(self.settings.receivers_file)
        asyncio.run(run(self.settings, ready, asyncio.Event(), once=True))

    def send(self, *alerts) -> None:
        """Alerts as score writes them: in a transaction."""
        with producer(self.settings, "score", transactional_id=self.settings.topic_prefix) as sender:
            sender.init_transactions()
            sender.begin_transaction()
            for each in alerts:
                sender.send(
                    self.topics.alerts.name,
                    key=each.alert_id.encode(),
                    value=encode(each),
                    headers=cloudevent(each),
                )
            sender.commit_transaction()

    def dead(self) -> list:
        """The dead letters, with their headers as texts."""
        topic = Topic(self.settings, self.topics.deadletter.name)
        try:
            return [(m, {k.removeprefix("__connect.errors."): v.decode() for k, v in m.headers}) for m in topic.look()]
        finally:
            topic.close()


def transitions(name: str, count: int) -> list:
    """An alert's life: raised, then updates."""
    return [
        alert(alert_id=name * 32, sequence=n, transition=Transition.RAISED if n == 1 else Transition.UPDATED)
        for n in range(1, count + 1)
    ]


def ids(name: str, count: int) -> list[str]:
    """The event ids of ``transitions``."""
    return [f"{name * 32}-{n}" for n in range(1, count + 1)]
