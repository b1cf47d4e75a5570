"""What the embedded broker is told: its properties and its Java command line. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local.process import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.local.kafka_security import Security

LOG_CONFIG = Path(__file__).with_name("log4j2.properties")
NODE_ID = 1
MIB = 1024 * 1024
HEAP = "-Xmx256m"

# A single node keeps one replica of everything, and a laptop needs neither fifty partitions of bookkeeping nor many
# threads.
_FIXED: dict[str, str] = {
    "process.roles": "broker,controller",
    "node.id": str(NODE_ID),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    # Else a restart after kill -9 waits 8 s for the session of the one that died.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    # The largest topic takes 16 MiB; a batch adds its own headers.
    "message.max.bytes": str(17 * MIB),
    "replica.fetch.max.bytes": str(17 * MIB),
    # The cleaner takes this from the heap at start; its default is half of ours.
    "log.cleaner.dedupe.buffer.size": str(16 * MIB),
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
    "background.threads": "2",
}


def properties(data: Path, port: int, controller_port: int, security: Security | None = None) -> str:
    """The text of ``server.properties``.

    Args:
        data: Folder of the broker's log segments.
        port: Where clients connect, on loopback only.
        controller_port: Where the broker finds its own controller, on loopback only.
        security: TLS, users and access lists; None for none of them.
    """
    values: Mapping[str, str] = {
        **_FIXED,
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.quorum.voters": f"{NODE_ID}@{LOOPBACK}:{controller_port}",
        "log.dirs": str(data),
        **(security.properties(port, controller_port) if security else {}),
    }
    return "".join(f"{key}={_escaped(value)}\n" for key, value in values.items())


def _escaped(value: str) -> str:
    r"""A value as java.util.Properties reads it: backslashes doubled, what is not Latin as ``\uXXXX``."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
    return "".join(chr(code) if 32 <= code < 127 else f"\\u{code:04x}" for code in codes)  # noqa: PLR2004  # ASCII


def java_command(
    java: Path, classpath: str, home: Path, main: str, *arguments: str, options: tuple[str, ...] = ()
) -> list[str]:
    """The command line of one of the broker's programs.

    Args:
        java: The Java binary.
        classpath: Every jar.
        home: Folder that holds ``logs`` and ``tmp``.
        main: The program's class.
        arguments: Its arguments.
        options: Further options for Java itself.
    """
    return [
        str(java),
        HEAP,
        "-Xms64m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        *options,
        "--enable-native-access=ALL-UNNAMED",
        "-Djava.awt.headless=true",
        "-Djava.net.preferIPv4Stack=true",
        f"-Djava.io.tmpdir={home / 'tmp'}",
        f"-Dbrinkwatch.logs={home / 'logs'}",
        f"-Dlog4j2.configurationFile={LOG_CONFIG}",
        "-cp",
        classpath,
        main,
        *arguments,
    ]


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Our environment without what would change the broker behind our back: Java options, a class path, Kafka's own."""
    drop = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")
    return {key: value for key, value in ours.items() if key not in drop and not key.startswith(("KAFKA_", "LOG4J_"))}
