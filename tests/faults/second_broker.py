"""A second broker beside the embedded one, in its cluster, with topics that lean on it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Self

import kafka.errors
from service import wait_for

from config.settings import Settings, load_settings
from deploy.local import jars
from deploy.local.java import find_java
from deploy.local.kafka_config import NODE_ID, environment, java_command, properties
from deploy.local.process import Port
from pipeline.kafka.client import admin

NODE = 2
ALONE, SHARED = "leans.alone", "leans.shared"
START_S = 120.0


class SecondBroker:
    """The broker, with a topic of which it alone has a copy, and one that both have; a context manager."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Nothing starts yet.

        Args:
            settings: Of the installation, whose embedded broker runs.
            folder: Of this broker.
        """
        self._settings, self._folder = settings, folder
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; the cluster has it back some seconds later."""
        with (self._folder / "console.log").open("ab") as log:
            self._child = subprocess.Popen(self._command("kafka.Kafka", str(self._config)), **self._streams(log))

    def kill(self) -> None:
        """As by kill -9."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        self._format()
        self.start()
        try:
            self._lean()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def _config(self) -> Path:
        return self._folder / "server.properties"

    def _format(self) -> None:
        """Its folder, for the cluster that there is."""
        home = self._settings.data_dir / "kafka"
        meta = (home / "data" / "meta.properties").read_text(encoding="utf-8").splitlines()
        cluster = next(line.removeprefix("cluster.id=") for line in meta if line.startswith("cluster.id="))
        controller = int((home / "controller.port").read_text(encoding="ascii"))
        with Port() as port:
            number = port.number
        own = {
            "process.roles": "broker",
            "node.id": str(NODE),
            "listeners": f"PLAINTEXT://127.0.0.1:{number}",
            "controller.quorum.voters": f"{NODE_ID}@127.0.0.1:{controller}",
        }
        # Of a property that stands there twice the last one counts.
        text = properties(self._folder / "data", number, controller)
        self._config.write_text(text + "".join(f"{key}={value}\n" for key, value in own.items()), encoding="ascii")
        words = self._command(
            "kafka.tools.StorageTool", "format", "-t", cluster.replace("\\", ""), "-c", str(self._config)
        )
        with (self._folder / "format.log").open("wb") as log:
            subprocess.run(words, check=True, timeout=START_S, **self._streams(log))

    def _command(self, main: str, *arguments: str) -> list[str]:
        for name in ("logs", "tmp"):
            (self._folder / name).mkdir(exist_ok=True)
        java = find_java(self._settings.java_home).path
        return java_command(java, jars.ensure(load_settings().cache_dir), self._folder, main, *arguments)

    def _streams(self, log: Any) -> dict[str, Any]:
        shared = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        return {**shared, "cwd": self._folder, "env": environment(os.environ)}

    def _lean(self) -> None:
        """The topics, once the controller lets the new broker have some."""
        asking = admin(self._settings, "second-broker")
        topics = {ALONE: {"assignments": {0: [NODE]}}, SHARED: {"assignments": {0: [NODE_ID, NODE]}}}

        def made() -> bool:
            try:
                asking.create_topics(topics)
            except kafka.errors.TopicAlreadyExistsError:
                return True
            except kafka.errors.KafkaError:
                return False
            return True

        try:
            wait_for(made, START_S, "topics on the second broker")
        finally:
            asking.close()
