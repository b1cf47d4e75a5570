"""Each role has what its clients ask the broker for, and nothing that would let it harm another."""

from __future__ import annotations

import pytest

from deploy.acls import Grant, Operation, Resource, grants
from pipeline.records.topics import Topics

TOPICS = Topics("acl")


def _may(role: str, operation: Operation) -> set[str]:
    return {
        grant.name
        for grant in grants(TOPICS)[role]
        if grant.resource is Resource.TOPIC and operation in grant.operations
    }


@pytest.mark.parametrize(
    ("role", "written"),
    [
        ("connect", {"articles"}),
        ("extract", {"signals", "deadletter"}),
        ("score", {"alerts", "alerts.current", "dyads", "deadletter"}),
        ("notify", {"deadletter"}),
        ("subscriber", set()),
        ("viewer", set()),
        ("operator", {"deadletter", "articles", "signals"}),
        ("monitor", set()),
        ("topics", set()),
    ],
)
def test_role_writes_only_its_own_topics(role, written):
    """A role that could write another's topic could forge what that one says: an alert, or a dyad's state."""
    assert _may(role, Operation.WRITE) == {f"acl.{name}.v1" for name in written}


def test_only_the_topics_role_changes_topics():
    """Whoever runs all the time must not be able to make or change a topic; nobody can delete one."""
    for role in set(grants(TOPICS)) - {"topics"}:
        assert not _may(role, Operation.CREATE)
        assert not _may(role, Operation.ALTER)
    assert _may("topics", Operation.CREATE) == {topic.name for topic in TOPICS.all}


def test_subscriber_reads_alerts_and_nothing_else():
    """News and the state of dyads are not for subscribers, nor are the groups of others."""
    held = grants(TOPICS)["subscriber"]
    assert _may("subscriber", Operation.READ) == {TOPICS.alerts.name, TOPICS.alerts_current.name}
    assert [grant.name for grant in held if grant.resource is Resource.GROUP] == ["acl.subscriber."]


def test_a_transactional_id_has_one_owner():
    """Who may use another's transactional id can fence it for ever: score and redrive each have their own."""
    owners: dict[str, list[str]] = {}
    for role, held in grants(TOPICS).items():
        for grant in held:
            if grant.resource is Resource.TRANSACTIONAL_ID:
                owners.setdefault(grant.name, []).append(role)
    assert owners == {TOPICS.score_group: ["score"], TOPICS.redrive_id: ["operator"]}


def test_every_grant_is_within_the_installation():
    """Two installations on one Kafka, told apart by their prefix, must not reach each other's topics or groups."""
    held = [grant for each in grants(TOPICS).values() for grant in each]
    assert held
    assert all(grant.operations for grant in held)
    beyond = [grant for grant in held if not grant.name.startswith("acl.")]
    assert beyond == [Grant(Resource.CLUSTER, "kafka-cluster", (Operation.DESCRIBE,))]
    assert {grant.name for grant in held if grant.prefixed} == {"acl.notify.", "acl.subscriber."}
