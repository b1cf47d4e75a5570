"""Rendering the Helm chart, and the tools that look at deploy/; a test without its tool is skipped, and says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "brinkwatch"
KUBERNETES = "1.34"
SECONDS = 60

EVERYTHING = {
    "config": {
        "feeds.yaml": "feeds: []\n",
        "alerts.yaml": "rules: []\n",
        "receivers.yaml": "receivers: []\n",
        "gazetteer/own.yaml": "entries: []\n",
    },
    "connect": {
        "websub": {
            "callbackUrl": "https://news.example:8443/websub",
            "ingress": {"className": "nginx", "tlsSecret": "news-tls", "annotations": {"example.org/limit": "8m"}},
        }
    },
    "notify": {"enabled": True, "secret": "receivers"},
    "extract": {"keda": {"enabled": True}},
    "kafka": {"strimzi": {"subscribers": ["desk", "archive"]}},
    "console": {"enabled": True, "user": "subscriber-desk"},
    "topics": {"partitions": {"articles": 12}},
    "image": {"digest": f"sha256:{'0' * 64}"},
    "metrics": {"tls": {"secret": "metrics-tls"}},
}
_USERS = {
    role: {"username": f"u-{role}", "secret": f"s-{role}"}
    for role in ("connect", "extract", "score", "monitor", "topics")
}
EXTERNAL = {
    "config": {"feeds.yaml": "feeds: []\n"},
    "extract": {"keda": {"enabled": True}},
    "kafka": {
        "strimzi": {"enabled": False},
        "external": {"bootstrapServers": "k1:9093,k2:9093", "caSecret": "ca", "users": _USERS, "ports": [9093]},
    },
}
PLAIN = {
    "kafka": {
        "strimzi": {"enabled": False},
        "external": {"bootstrapServers": "kafka:9092", "securityProtocol": "PLAINTEXT"},
    }
}
FLINK = {**yaml.safe_load((CHART / "values-flink.yaml").read_text()), "config": EVERYTHING["config"]}
"""What values-flink.yaml says, and a configuration besides."""
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "everything": EVERYTHING,
    "external": EXTERNAL,
    "plain": PLAIN,
    "flink": FLINK,
}


def tool(name: str) -> str:
    """Where ``deploy/tools/install`` has put a tool, or the environment has it, or PATH."""
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "brinkwatch" / "tools"
    folders = [Path(os.environ.get("BRINKWATCH_TOOLS") or cached) / "bin", Path(sys.executable).parent]
    found = shutil.which(name, path=os.pathsep.join(map(str, folders))) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not there: deploy/tools/install builds it, `make install` has the rest")
    return found


def run(command: list[str], text: str | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end; what it says is the caller's."""
    return subprocess.run(command, input=text, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False)


def helm(*words: str, values: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Helm, with values on its standard input."""
    return run([tool("helm"), *words, "--values", "-"], yaml.safe_dump(values or {}))


@cache
def rendered(variant: str) -> str:
    """The chart as the API server would be given it, as one text."""
    done = helm(
        "template", "watch", str(CHART), "--namespace", "news", "--kube-version", f"{KUBERNETES}.0",
        values=VARIANTS[variant],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def manifests(variant: str) -> tuple[dict[str, Any], ...]:
    """The same as objects; not to be changed."""
    return tuple(each for each in yaml.load_all(rendered(variant), yaml.CSafeLoader) if each)


def of_kind(variant: str, kind: str) -> dict[str, dict[str, Any]]:
    """Objects of a kind, by name."""
    return {each["metadata"]["name"]: each for each in manifests(variant) if each["kind"] == kind}


def pods(variant: str) -> dict[str, dict[str, Any]]:
    """The pod specifications of what runs pods of its own, by kind and name."""
    kinds = {"Deployment", "StatefulSet", "Job"}
    return {
        f"{each['kind']}/{each['metadata']['name']}": each["spec"]["template"]["spec"]
        for each in manifests(variant)
        if each["kind"] in kinds
    }


def everywhere(variant: str) -> dict[str, tuple[dict[str, str], dict[str, Any]]]:
    """Labels and specification of every pod with a container of ours, those that Flink's operator makes too."""
    found = {
        f"{each['kind']}/{each['metadata']['name']}": each["spec"]["template"]
        for each in manifests(variant)
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}
    }
    for name, each in of_kind(variant, "FlinkDeployment").items():
        found[f"FlinkDeployment/{name}"] = each["spec"]["taskManager"]["podTemplate"]
    return {name: (pod["metadata"]["labels"], pod["spec"]) for name, pod in found.items()}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Every container of a pod."""
    found: list[dict[str, Any]] = [*pod.get("initContainers", []), *pod["containers"]]
    return found
