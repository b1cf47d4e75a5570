"""The whole line on a Kafka with TLS, SCRAM and access lists: each role has its own user, and only its own rights."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import kafka.errors
import pytest
from hookserver import HookServer
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata
from rssserver import serve
from secured import Secured
from service import Process, Topic, wait_for

from config import health, refusal
from config.access import BrokerRefuses, check
from config.errors import BrinkwatchError
from config.health import KAFKA, Board
from config.kafka import connection
from config.settings import PACKAGED
from deploy.acls import grants
from deploy.local.installation import environment
from deploy.local.process import Port
from deploy.topics import TopicError, apply_topics
from pipeline.kafka.client import producer
from pipeline.records.topics import Topics
from pipeline.watch.tail import Tail

pytestmark = [pytest.mark.slow, pytest.mark.timeout(590)]
RSS = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Outlet {n}</title>
<link>https://outlet-{n}.example/</link><item><guid>{n}</guid><link>https://outlet-{n}.example/story</link>
<title>{title}</title><description>{text}</description></item></channel></rss>"""
STORIES = (
    ("Armenia shells Azerbaijan", "Armenia attacked Azerbaijan with missiles on Tuesday, killing nine soldiers."),
    ("Missiles hit Azerbaijan", "Armenia attacked Azerbaijan at dawn on Tuesday, the Azerbaijani army said."),
    ("Armenia strikes again", "Armenia launched an attack on Azerbaijan with rockets on Tuesday, officials said."),
)
RULES = """
rules:
  - name: escalation
    scope: {dyads: [all], exclude: ["*"]}
    half_life: 72h
    baseline_half_life: 14d
    baseline_ratio: 2
    min_sources: 2
    hold_for: 0s
    clear_for: 48h
    levels:
      watch: {raise_at: 4, clear_at: 2}
"""
RECEIVERS = """
receivers:
  - {{name: ops, type: webhook, url: "{url}", secret_env: HOOK_SECRET, start_at: earliest}}
"""
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
LINE = "secure"
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "subscribe.py"


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    """The broker, and two installations on it: one that runs, one to be refused on."""
    made = Secured(tmp_path_factory.mktemp("secured"))
    with made.kafka:
        yield made


class Installation:
    """The processes of the service, each as the user of its role."""

    def __init__(self, secured: Secured, folder: Path, prism: Path, hook: str) -> None:
        self.secured, self.folder, self.prism = secured, folder, prism
        self.config = folder / "config"
        shutil.copytree(PACKAGED, self.config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        (self.config / "alerts.yaml").write_text(RULES, encoding="utf-8")
        (self.config / "receivers.yaml").write_text(RECEIVERS.format(url=hook), encoding="utf-8")
        self.topics = Topics(LINE)

    def settings(self, role: str):
        """Of the role."""
        ports = {f"{name}_metrics_port": 0 for name in ("connect", "extract", "score", "notify")}
        own = {"config_dir": self.config, "prism": self.prism, "runner": "prism", "data_dir": self.folder / "data"}
        return self.secured.settings(role, LINE, **ports, **own)

    def secrets(self, role: str) -> dict[str, str]:
        """Where the process finds its password."""
        return {"BRINKWATCH_SASL_PASSWORD_FILE": str(self.secured.folder / f"{role}.password"), "HOOK_SECRET": SECRET}

    def process(self, role: str, *arguments: str, name: str = "") -> Process:
        """A command of the role's, until it is ended."""
        return Process(self.settings(role), *arguments, folder=self.folder / (name or role), **self.secrets(role))

    def working(self, role: str) -> Process:
        """A job of the role's that has begun: one after the other, for each takes a core to start."""
        started = self.process(role, role)
        begun = lambda: started.has_said("job submitted") or started.child.poll() is not None  # noqa: E731  # short
        wait_for(begun, 180, f"{role} to begin")
        assert started.child.poll() is None, started.said()
        return started

    def run(self, role: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the role's, to its end."""
        env = {**os.environ, **environment(self.settings(role)), **self.secrets(role)}
        command = [sys.executable, "-m", "pipeline.cli.main", *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=180, check=False)


def rss(number: int) -> bytes:
    """A feed of one story."""
    title, text = STORIES[number]
    return RSS.format(n=number, title=title, text=text).encode()


def test_an_article_becomes_an_alert(secured, prism, tmp_path):
    """With TLS, SCRAM and no more than its grants, every role does its work; a score that stands by takes over."""
    secured.grant_roles(Topics(LINE))
    feeds = serve(rss)
    with HookServer() as hook:
        line = Installation(secured, tmp_path, prism, hook.url)
        assert len(apply_topics(line.settings("topics"), line.topics).created) == 6
        listing = tmp_path / "feeds.yaml"
        listing.write_text(
            "feeds:\n" + "".join(
                f"  - {{id: outlet-{n}, url: 'http://127.0.0.1:{feeds.server_port}/{n}.xml', language: en}}\n"
                for n in range(len(STORIES))
            ),
            encoding="utf-8",
        )  # fmt: skip
        with (
            line.working("extract") as extract,
            line.working("score") as score,
            line.process("notify", "notify") as notify,
        ):
            polled = line.run("connect", "connect", "--once", "--feeds", str(listing))
            assert polled.returncode == 0, polled.stderr
            wait_for(lambda: hook.got, 150, "the webhook")
            assert hook.got[0].json["data"]["dyad"] == "ARM-AZE"
            commands(line)
            with line.process("score", "score", name="standby") as standby:
                wait_for(lambda: standby.has_said("standing by"), 120, "a score that stands by")
                score.kill()
                wait_for(lambda: standby.has_said("job submitted"), 120, "the other score to take over")
                assert standby.end() == 0, standby.said()
            assert extract.end() == 0, extract.said()
            assert notify.end() == 0, notify.said()
    feeds.shutdown()
    for process in (score, extract, notify, standby):
        assert "Authorization" not in process.log.read_text(encoding="utf-8"), process.said()


def commands(line: Installation) -> None:
    """What people do, each as who they are; a dead letter is made first, and sent again last."""
    with producer(line.settings("connect"), "test") as sender:
        sender.send(line.topics.articles.name, key=b"bad", value=b"{").get(timeout=20)
    letters = Topic(line.settings("operator"), line.topics.deadletter.name)
    letters.wait(1)
    shown = line.run("subscriber", "alerts", "--json", "--no-follow")
    assert (shown.returncode, json.loads(shown.stdout.splitlines()[0])["dyad"]) == (0, "ARM-AZE"), shown.stderr
    subscribed = example(line)
    assert "raised watch ARM-AZE" in subscribed, subscribed
    watched = line.run("viewer", "watch", "--plain", "--seconds", "6")
    assert watched.returncode == 0, watched.stderr
    assert "ARM-AZE" in watched.stdout, watched.stderr
    listed = line.run("operator", "deadletters", "list")
    assert "not_json" in listed.stdout, listed.stderr
    redriven = line.run("operator", "deadletters", "redrive", "--all", "--execute")
    assert redriven.returncode == 0, redriven.stderr + redriven.stdout
    letters.wait(3)  # the letter, the mark that it was sent, and the letter of its second failure
    letters.close()


def example(line: Installation) -> str:
    """The first line of the example for subscribers, as the subscriber; empty where it ended."""
    settings = line.settings("subscriber")
    env = {
        **os.environ, "SASL_USERNAME": "subscriber", "SSL_CAFILE": str(line.secured.cafile),
        "SASL_PASSWORD_FILE": str(line.secured.folder / "subscriber.password"),
    }  # fmt: skip
    command = [
        sys.executable,
        str(EXAMPLE),
        settings.bootstrap_servers,
        f"{LINE}.subscriber.me",
        line.topics.alerts.name,
    ]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            return process.stdout.readline()
        finally:
            process.kill()


# What each role may do, by hand, so that a grant too many shows: topics read and written, groups, transactional ids.
ALLOWED = {
    "connect": ("", "articles", "", ""),
    "extract": ("articles", "signals deadletter", "extract", ""),
    "score": ("signals dyads", "alerts alerts_current dyads deadletter", "score score.lease", "score"),
    "notify": ("alerts alerts_current", "deadletter", "notify.ops", ""),
    "subscriber": ("alerts alerts_current", "", "subscriber.me", ""),
    "viewer": ("dyads alerts_current alerts signals articles", "", "", ""),
    "operator": ("deadletter", "deadletter articles signals", "", "redrive"),
    "monitor": ("articles signals alerts", "", "", ""),
    "topics": ("", "", "", ""),
    "nobody": ("", "", "", ""),
}
TOPICS = ("articles", "signals", "alerts", "alerts_current", "dyads", "deadletter")
GROUPS = ("extract", "score", "score.lease", "notify.ops", "subscriber.me")
IDS = ("score", "redrive")


@pytest.fixture(scope="module")
def refusing(secured):
    """An installation whose topics hold a message each; its users are those of the roles, and one without a role."""
    topics = Topics("table")
    secured.grant_roles(topics)
    secured.add_user("nobody")
    admin = secured.settings("topics", "table")
    apply_topics(admin, topics)
    with KafkaProducer(
        bootstrap_servers=secured.kafka.bootstrap_servers, **secured.security.client_options()
    ) as sender:
        for topic in topics.all:
            sender.send(topic.name, key=b"k", value=b"v", partition=0).get(timeout=20)
    return topics


@pytest.mark.parametrize("role", sorted(ALLOWED))
def test_what_a_role_may_do(secured, refusing, role):
    """Each action is tried for real as each role: what is not its work must be refused by the broker."""
    assert set(ALLOWED) == {*grants(refusing), "nobody"}
    settings = secured.settings(role, "table")
    readable, writable, groups, ids = (set(words.split()) for words in ALLOWED[role])
    names = {getattr(refusing, name).name: name for name in TOPICS}
    assert {names[topic] for topic in read(settings, names)} == readable
    assert {names[topic] for topic in written(settings, names)} == writable
    assert {group for group in GROUPS if may_join(settings, f"table.{group}")} == groups
    assert {each for each in IDS if may_transact(settings, f"table.{each}")} == ids


def read(settings, topics) -> set[str]:
    """The topics of which a message is given out. Those that are not even shown are refused in silence."""
    found = set()
    with KafkaConsumer(**connection(settings, "table"), bootstrap_timeout_ms=10_000) as reader:
        for topic in filter(reader.partitions_for_topic, topics):
            part = TopicPartition(topic, 0)
            reader.assign([part])
            reader.seek(part, 0)
            end = time.monotonic() + 30
            with contextlib.suppress(kafka.errors.TopicAuthorizationFailedError):
                while not reader.poll(timeout_ms=500):
                    assert time.monotonic() < end, f"{topic}: neither read nor refused"
                found.add(topic)
    return found


def written(settings, topics) -> set[str]:
    """The topics of which a message is taken."""
    found = set()
    for topic in topics:
        # One each: an idempotent producer that was refused once is past mending.
        with KafkaProducer(**connection(settings, "table"), bootstrap_timeout_ms=10_000, max_block_ms=30_000) as sender:
            try:
                sender.send(topic, key=b"k", value=b"v", partition=0).get(timeout=30)
                found.add(topic)
            except kafka.errors.KafkaError as error:
                assert "AuthorizationFailed" in repr(error), f"{topic}: {error!r}"  # noqa: PT017  # what else it was
    return found


def may_join(settings, group: str) -> bool:
    """Whether the group's place may be moved; the broker looks at the group first, and then at the topic."""
    part = TopicPartition(Topics("table").alerts.name, 0)
    admin = KafkaAdminClient(**connection(settings, "table"), bootstrap_timeout_ms=10_000)
    try:
        answer = wait_for(lambda: moved(admin, group, part), 30, "the topic of offsets, which the first group makes")
    except kafka.errors.GroupAuthorizationFailedError:
        return False
    finally:
        admin.close()
    return answer is not kafka.errors.GroupAuthorizationFailedError


def moved(admin, group: str, part: TopicPartition):
    """What the broker answers to a commit of the group's place; None while it can't."""
    with contextlib.suppress(kafka.errors.CoordinatorNotAvailableError, kafka.errors.NotCoordinatorError):
        return admin.alter_group_offsets(group, {part: OffsetAndMetadata(0, "", -1)})[part]
    return None


def may_transact(settings, transactional_id: str) -> bool:
    """Whether the id may be taken, and its owner so be fenced."""
    sender = KafkaProducer(
        **connection(settings, "table"), transactional_id=transactional_id, bootstrap_timeout_ms=10_000,
        max_block_ms=30_000,
    )  # fmt: skip
    try:
        sender.init_transactions()
    except kafka.errors.KafkaError as error:
        assert "AuthorizationFailed" in repr(error), f"{transactional_id}: {error!r}"  # noqa: PT017  # as above
        return False
    finally:
        sender.close(timeout=1)
    return True


def test_topics_are_made_by_their_role_only(secured, refusing):
    """A process that runs all the time must not be able to make a topic; what can't be done is said."""
    with pytest.raises(TopicError, match="Authorization"):
        apply_topics(secured.settings("extract", "elsewhere"), Topics("elsewhere"))


WRONG = "wr0ng-pass"
REFUSALS = {
    "password": (
        {"BRINKWATCH_SASL_PASSWORD_FILE": "", "BRINKWATCH_SASL_PASSWORD": "wr0ng-pass"},
        "user 'viewer' is refused",
    ),
    "user": ({"BRINKWATCH_SASL_USERNAME": "mallory"}, "user 'mallory' is refused"),
    "mechanism": ({"BRINKWATCH_SASL_MECHANISM": "PLAIN"}, "the broker offers SCRAM-SHA-512, SCRAM-SHA-256, not PLAIN"),
    "unknown CA": ({"BRINKWATCH_SSL_CAFILE": ""}, "from a CA that is not among the system's CAs"),
    "no TLS": ({"BRINKWATCH_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "it is TLS: are port and security_protocol right?"),
    "no user": ({"BRINKWATCH_SECURITY_PROTOCOL": "SSL"}, "is the broker up, and does it speak this protocol there?"),
}


@pytest.mark.parametrize(
    ("what", "command"),
    [*((what, "alerts") for what in sorted(REFUSALS)), ("password", "connect"), ("unknown CA", "score")],
)
def test_who_is_not_let_in_is_told(secured, refusing, tmp_path, what, command):
    """Where it failed and why, from each kind of process, and not by trying for ever; with no secret in it."""
    changes, expected = REFUSALS[what]
    settings = secured.settings("viewer", "table", data_dir=tmp_path)
    ports = {f"BRINKWATCH_{name}_METRICS_PORT": "0" for name in ("CONNECT", "SCORE")}
    password = {"BRINKWATCH_SASL_PASSWORD_FILE": str(secured.folder / "viewer.password")}
    env = {**os.environ, **environment(settings), **ports, **password, **changes}
    (tmp_path / "feeds.yaml").write_text(
        "feeds:\n  - {id: one, url: 'http://127.0.0.1:9/x.rss', language: en, interval: 5s, drill: true}\n",
        encoding="utf-8",
    )
    options = {"alerts": ["--no-follow"], "connect": ["--feeds", str(tmp_path / "feeds.yaml")], "score": []}[command]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli.main", command, *options],
        env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert expected in done.stderr, done.stderr
    assert f"connecting to Kafka failed: {secured.kafka.bootstrap_servers} (" in done.stderr
    assert "Traceback" not in done.stderr
    for secret in (WRONG, (secured.folder / "viewer.password").read_text(encoding="utf-8").strip()):
        assert secret not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("role", "said"),
    [("viewer", "user 'viewer' may not read it"), ("connect", "or user 'connect' may not see it")],
)
def test_a_command_without_the_right_says_so(secured, refusing, role, said):
    """Whoever may see a topic and not read it, or not even see it, is told that, and is shown no trace."""
    settings = secured.settings(role, "table")
    with pytest.raises(BrinkwatchError, match=said):
        everything(settings, refusing.deadletter)


def everything(settings, topic):
    """The messages of the topic."""
    with Tail(settings, "test") as tail:
        tail.from_beginning(topic)
        return list(tail.to_end())


def test_a_certificate_for_another_host_is_refused_unless_that_is_allowed(secured, refusing):
    """A broker that shows another's certificate is a stranger; leaving the check out needs an explicit word."""
    elsewhere = f"localhost:{secured.kafka.port}"
    settings = secured.settings("viewer", "table", bootstrap_servers=elsewhere)
    with pytest.raises(BrokerRefuses, match=r"certificate is for another host: .*ssl_check_hostname"):
        check(settings, 20)
    check(settings.model_copy(update={"ssl_check_hostname": False}), 20)


def test_a_client_certificate_where_brokers_ask_for_one(tmp_path):
    """Without it the broker's refusal must be told; with it, and a key in a file of its own, the client is let in."""
    made = Secured(tmp_path / "broker", client_certificates=True)
    with made.kafka:
        made.add_user("ann", mechanism="SCRAM-SHA-256")
        settings = made.settings("ann", "x", sasl_mechanism="SCRAM-SHA-256")
        with pytest.raises(BrokerRefuses, match="does it want ssl_certfile"):
            check(settings, 20)
        check(settings.model_copy(update={"ssl_certfile": made.client_certificate()}), 20)


def test_a_password_changed_after_the_start_is_told(secured, refusing):
    """kafka-python takes it for a broker that is away and waits for ever: health and log must say what it really is."""
    secured.add_user("carol")
    settings = secured.settings("carol", "table")
    board = Board()
    board.begin("extract", KAFKA)
    board.watch_kafka(lambda: 60.0)
    refusal.look(settings, board)
    assert not board.snapshot().refused  # it may come in: the silence has another reason
    secured.add_user("carol", "another")
    refusal.look(settings, board)
    why = health.ready(board.snapshot()).checks[KAFKA].why
    assert why.startswith("no broker has answered for 60 s: connecting to Kafka failed: ")
    assert "user 'carol' is refused" in why
    board.watch_kafka(lambda: 1.0)
    refusal.look(settings, board)
    assert not board.snapshot().refused


def test_a_broker_that_is_away_refuses_nobody(secured):
    """An outage must not be told as a wrong password, and who never had a broker is not asked for."""
    with Port() as port:
        away = secured.settings("viewer", "table", bootstrap_servers=f"127.0.0.1:{port.number}")
        assert not refusal.why_refused(away, 5)
    starting = health.Snapshot("extract", needs=(KAFKA,), kafka_s=None)
    assert not refusal.silent(starting)
    assert not refusal.silent(health.Snapshot("up", kafka_s=60.0))
