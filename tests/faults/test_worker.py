"""Jobs whose work is done by ``brinkwatch worker``, as on Flink; Prism is the job server here, and runs them.

A job goes through the very options, worker pool and sessions that it has on Flink. What Prism does not do is to start a
failed job again: here that is done by submitting it again.
"""

from __future__ import annotations

from collections import Counter
from urllib.request import urlopen

import psutil
import pytest
from crises import Crisis
from samples import article
from service import Process, Topic, wait_for

from deploy.local.prism import start_prism
from deploy.local.process import Port
from pipeline.kafka.client import producer
from pipeline.records import Signal, decode, encode
from pipeline.records.topics import Topics

pytestmark = pytest.mark.slow
NAMES = ["Russia", "China", "Iran", "Turkey", "India", "Serbia", "Egypt", "Sudan"]


class Elsewhere:
    """A job server and a worker pool for one job of an installation."""

    def __init__(self, prism, folder, job) -> None:
        self.job, self._folder = job, folder
        self._pool, self._metrics = Port(), Port()
        self._prism = start_prism(prism, folder / "prism.log")
        self.settings = {
            "runner": "flink", "flink_job_server": self._prism.endpoint, "data_dir": folder,
            "flink_worker_pool": f"127.0.0.1:{self._pool.number}", f"{job}_metrics_port": self._metrics.number,
        }  # fmt: skip

    def worker(self, settings) -> Process:
        """The worker pool."""
        port = str(self._pool.hand_over())
        return Process(settings, "worker", self.job, "--port", port, folder=self._folder)

    def submit(self, settings) -> Process:
        """Give the job to the job server."""
        return Process(settings, self.job, folder=self._folder)

    def metric(self, line: str) -> bool:
        """Whether the worker's metrics have such a line."""
        with urlopen(f"http://127.0.0.1:{self._metrics.number}/metrics", timeout=10) as answer:
            return line in answer.read().decode()

    def lose_runner(self) -> None:
        """As when a task manager is gone."""
        self._prism.stop()

    def close(self) -> None:
        self._prism.stop()
        self._pool.release()
        self._metrics.release()


class Reading:
    """An installation whose extract runs elsewhere, and the signals that it gave."""

    def __init__(self, broker, elsewhere) -> None:
        self._elsewhere = elsewhere
        self.settings = broker.settings("worker").model_copy(update=elsewhere.settings)
        self.topics = Topics(self.settings.topic_prefix)
        self.signals = Topic(self.settings, self.topics.signals.name)

    def worker(self) -> Process:
        return self._elsewhere.worker(self.settings)

    def submit(self) -> Process:
        return self._elsewhere.submit(self.settings)

    def metric(self, line: str) -> bool:
        return self._elsewhere.metric(line)

    def lose_runner(self) -> None:
        self._elsewhere.lose_runner()

    def publish(self, numbers) -> None:
        """Articles of a signal each."""
        with producer(self.settings, "test") as sender:
            for number in numbers:
                one, other = NAMES[number % 8], NAMES[(number + 1 + number // 8) % 8]
                text = f"{one} has massed over {number + 2},000 troops on its border with {other}, officials said."
                item = article(article_id=f"{number:032x}", title="", text=text)
                sender.send(self.topics.articles.name, key=item.article_id.encode(), value=encode(item))
            sender.flush()

    def found(self) -> Counter[str]:
        """How often each article has given a signal."""
        return Counter(decode(message.value, Signal).article_id for message in self.signals.look())

    def close(self) -> None:
        self.signals.close()


@pytest.fixture
def elsewhere(prism, tmp_path):
    made = []

    def make(job) -> Elsewhere:
        made.append(Elsewhere(prism, tmp_path, job))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def line(broker, elsewhere):
    found = Reading(broker, elsewhere("extract"))
    yield found
    found.close()


def names(numbers) -> set[str]:
    return {f"{number:032x}" for number in numbers}


def workers(pool: Process) -> list[psutil.Process]:
    """The pool's worker processes."""
    return [child for child in psutil.Process(pool.child.pid).children(recursive=True) if child.is_running()]


def killed(pool: Process) -> None:
    """Kill -9 of the process that works, not of the pool."""
    (working,) = [child for child in workers(pool) if "sdk-worker" in child.cmdline()]
    working.kill()
    wait_for(lambda: pool.has_said("-9"), 30, "the pool to see it")


def test_a_worker_that_is_told_to_end_leaves_nothing_half_done(line):
    """On SIGTERM what was polled must be committed, and nothing polled after: the next worker repeats nothing.

    The runner must be told, or it would wait for ever for a worker that is gone.
    """
    with line.worker() as pool, line.submit() as client:
        line.publish(range(10))
        wait_for(lambda: names(range(10)) <= set(line.found()), 90, "signals")
        counted = 'brinkwatch_extract_articles_total{outcome="signals"} 10.0'
        wait_for(lambda: line.metric(counted), 30, "the worker to have counted them")
        assert pool.end() == 0, pool.said()
        assert client.child.wait(30) == 1, client.said()
        assert "Flink gave it up" in client.said()
    line.publish(range(10, 20))
    with line.worker() as pool, line.submit():
        wait_for(lambda: names(range(20)) <= set(line.found()), 90, f"the rest: {pool.said()}")
        assert pool.end() == 0, pool.said()
    assert set(line.found().values()) == {1}


def test_a_killed_worker_of_extract_loses_nothing(line):
    """Kill -9 in the middle of a backlog: the same pool gives the next run another process, and that does the rest.

    A worker whose runner is gone must end too, or it would hold partitions that nobody asks it to read.
    """
    line.publish(range(500))
    with line.worker() as pool:
        with line.submit():  # whether Prism sees the kill, or waits for ever, is a matter of when it came
            wait_for(line.found, 90, f"the first signals: {pool.said()}")
            killed(pool)
            assert len(line.found()) < 500, "there was nothing left to lose"
        with line.submit() as client:
            wait_for(lambda: names(range(500)) <= set(line.found()), 120, f"the rest: {pool.said()}")
            assert client.end() == 0, client.said()
            assert "left to Flink" in client.said()
        line.lose_runner()
        wait_for(lambda: not workers(pool), 30, f"the worker to end with its runner: {pool.said()}")
        assert pool.end() == 0, pool.said()


def test_score_is_exact_over_a_failed_bundle_and_a_kill(broker, elsewhere, tmp_path):
    """After a failure a session is not what is committed: its process must end, and the pool give the next run another.

    The bundle fails for a true reason: its transactional id was taken by another, so its transaction is refused.
    """
    place = elsewhere("score")
    crisis = Crisis(broker, tmp_path, **place.settings)
    with place.worker(crisis.settings) as pool:
        with place.submit(crisis.settings) as client:
            crisis.goes_on(f"the first worker to score: {pool.said()}")
            first = workers(pool)
            with producer(crisis.settings, "other", transactional_id=crisis.topics.score_group) as other:
                other.init_transactions()
            at = crisis.news()
            assert client.child.wait(60) == 1, client.said()
            wait_for(lambda: not any(each.is_running() for each in first), 30, "the worker to end")
        with place.submit(crisis.settings) as client:
            wait_for(lambda: crisis.scored(at), 120, f"the second worker to score what failed: {pool.said()}")
            crisis.news()
            killed(pool)
        with place.submit(crisis.settings):
            crisis.goes_on(f"the third worker to score: {pool.said()}")
            assert pool.end() == 0, pool.said()
    assert crisis.one_opinion()
    crisis.close()
