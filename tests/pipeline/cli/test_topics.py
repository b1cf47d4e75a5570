"""``brinkwatch topics apply`` on a real broker: what it prints, and the exit code that a roll-out goes by."""

from __future__ import annotations

import pytest
from kafka import KafkaAdminClient
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.records.topics import Topics


def _apply(settings, *options):
    variables = {"BRINKWATCH_TOPIC_PREFIX": settings.topic_prefix}
    words = ["topics", "apply", "--bootstrap-servers", settings.bootstrap_servers, *options]
    return CliRunner().invoke(app, words, env=variables)


@pytest.mark.slow
def test_apply_creates_then_finds_nothing_to_do(broker):
    """A roll-out runs it each time: the second must say that all is well, and end with 0."""
    settings = broker.settings("cli-topics", topics=False)
    foretold = _apply(settings, "--dry-run", "--partitions", "articles=6")
    assert foretold.exit_code == 0
    assert foretold.output.count("would be created") == len(Topics().all)
    assert _apply(settings, "--partitions", "articles=6").exit_code == 0
    again = _apply(settings)
    assert (again.exit_code, again.output) == (0, "every topic is as it must be\n")


@pytest.mark.slow
def test_fault_ends_with_1(broker):
    """A compacted topic that was made by hand without compaction would lose states: nothing may be rolled out on it."""
    settings = broker.settings("cli-fault", topics=False)
    dyads = Topics(settings.topic_prefix).dyads.name
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    admin.create_topics({dyads: {"num_partitions": 1, "configs": {"cleanup.policy": "delete"}}})
    admin.close()
    result = _apply(settings)
    assert result.exit_code == 1
    assert f"fault  {dyads}: cleanup.policy is delete, not compact\n" in result.output


def test_partitions_that_are_no_number_are_a_usage_error():
    """A mistyped option must end with 2 before any broker is asked."""
    result = CliRunner().invoke(app, ["topics", "apply", "--partitions", "articles"])
    assert result.exit_code == 2
