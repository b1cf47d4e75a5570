"""Compose: valid to its own parser, closed to the network, bounded, and with a Kafka configuration that Kafka takes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml
from charts import ROOT, run, tool
from commands import fault_of

from config.settings import PREFIX, Settings, load_settings
from deploy.image.health import PORTS
from deploy.local import jars
from deploy.local.java import find_java

FOLDER = ROOT / "deploy" / "compose"
FILE = FOLDER / "compose.yaml"
OURS = ("topics", "connect", "extract", "score", "notify", "monitor")


@cache
def project():
    """The project as Compose's own parser understands it, every profile of it."""
    done = run(["env", "COMPOSE_PROFILES=notify", tool("compose-spec"), "-format", "json", FILE.name], cwd=FOLDER)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_services_are_all_there():
    """The roles, Kafka, and what watches them."""
    assert set(project()["services"]) == {*OURS, "kafka", "prometheus", "alertmanager", "grafana"}


def test_nothing_is_published_beyond_loopback():
    """Kafka has no password here, nor has Prometheus: a port on every interface would give them away."""
    ports = [port for each in project()["services"].values() for port in each.get("ports", ())]
    assert len(ports) == 4
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_every_service_is_confined_and_bounded():
    """A container that is taken over must find nothing to write to, no capability, and no room to grow."""
    for name, each in project()["services"].items():
        assert each["read_only"] is True, name
        assert each["cap_drop"] == ["ALL"], name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        assert each["mem_limit"], name
        assert each["pids_limit"], name
        assert each["cpus"], name
        assert "privileged" not in each, name
        assert each["logging"]["options"]["max-size"], name


def test_only_what_needs_it_has_a_way_out():
    """Extract reads hostile texts, and Prism runs what it is sent: neither reaches the internet."""
    assert project()["networks"]["inside"]["internal"] is True
    for name in ("topics", "extract", "score", "monitor"):
        assert set(project()["services"][name]["networks"]) == {"inside"}, name


def test_settings_are_known_and_hold_no_secret():
    """A misspelt setting is refused by each process at its start; a password in the environment is seen by all."""
    for name, each in project()["services"].items():
        for variable in each.get("environment", {}):
            if name in OURS and variable.startswith(PREFIX):
                assert variable.removeprefix(PREFIX).lower() in Settings.model_fields, name
            assert not re.search(r"(PASSWORD|SECRET|TOKEN)$", variable), name


def test_roll_out_waits_for_topics():
    """A job that starts before its topics are there ends with 1, again and again."""
    for name in ("connect", "extract", "score", "notify", "monitor"):
        needs = project()["services"][name]["depends_on"]
        assert needs["topics"]["condition"] == "service_completed_successfully"


def test_prometheus_finds_every_role_where_it_listens():
    """A role that is scraped on another port, or under another name than the rules have, looks as if it were down."""
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    found = {}
    for job in jobs:
        (discovery,) = job["dns_sd_configs"]
        found[job["job_name"]] = (discovery["names"], discovery["port"])
    assert found == {f"brinkwatch-{role}": ([role], port) for role, port in PORTS.items()}


def test_what_runs_is_a_command_of_ours():
    """A role or an option that was renamed ends each container at its start, for ever."""
    for name in OURS:
        assert fault_of(project()["services"][name]["command"]) is None, name


def mounted(service, place):
    """Where on this machine what a service has at ``place`` lies; None for a volume."""
    best = max(
        (each for each in project()["services"][service]["volumes"] if Path(place).is_relative_to(each["target"])),
        key=lambda each: len(each["target"]),
    )
    return Path(best["source"]) / Path(place).relative_to(best["target"]) if best["type"] == "bind" else None


def test_what_is_mounted_is_there():
    """A bind whose source is missing is refused, or made as an empty folder."""
    for name, each in project()["services"].items():
        for volume in each.get("volumes", ()):
            if volume["type"] == "bind":
                assert Path(volume["source"]).exists(), f"{name}: {volume['source']}"
            else:
                assert volume["source"] in project()["volumes"], name


def test_grafana_is_provisioned_with_what_is_mounted():
    """Provisioning goes by variables and folders: one that is missing leaves Grafana without dashboards, or data."""
    told = project()["services"]["grafana"]["environment"]
    provisioning = mounted("grafana", told.get("GF_PATHS_PROVISIONING", "/etc/grafana/provisioning"))
    texts = [file.read_text() for file in provisioning.glob("*/*.yaml")]
    assert len(texts) == 2
    assert {name for text in texts for name in re.findall(r": \$([A-Z_]+)$", text, re.MULTILINE)} <= set(told)
    assert list(mounted("grafana", told["BRINKWATCH_DASHBOARDS"]).glob("*.json"))
    host, port = told["BRINKWATCH_PROMETHEUS_URL"].removeprefix("http://").split(":")
    assert port in {str(each["target"]) for each in project()["services"][host]["ports"]}
    assert set(project()["services"][host]["networks"]) & set(project()["services"]["grafana"]["networks"])


def test_prometheus_and_alertmanager_find_their_files_and_each_other():
    """Rules, routes and texts go by paths within the containers, and alerts by the name of a service."""
    (file,) = [word.split("=")[1] for word in project()["services"]["prometheus"]["command"] if "config.file" in word]
    document = yaml.safe_load(mounted("prometheus", file).read_text())
    (rules,) = document["rule_files"]
    folder = mounted("prometheus", str(Path(file).parent / Path(rules).parent))
    assert list(folder.glob(Path(rules).name))
    (found,) = document["alerting"]["alertmanagers"]
    assert found["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    routes = mounted("alertmanager", "/etc/alertmanager/alertmanager.yml")
    for pattern in yaml.safe_load(routes.read_text())["templates"]:
        assert list(routes.parent.glob(pattern))


def test_secrets_of_one_reach_no_other():
    """Notify must not be able to read Grafana's password, nor Alertmanager the addresses of notify."""
    folders = [mounted(name, "/run/secrets") for name in ("notify", "alertmanager")]
    password = Path(project()["secrets"]["grafana_admin_password"]["file"])
    assert len(set(folders)) == 2
    assert not any(password.is_relative_to(folder) for folder in folders)


def test_prometheus_takes_its_configuration(tmp_path):
    """Prometheus ends at its start for one wrong word; the rules beside it are those of deploy/prometheus."""
    (tmp_path / "rules").symlink_to(ROOT / "deploy" / "prometheus" / "rules")
    shutil.copy(FOLDER / "prometheus.yml", tmp_path)
    done = run([tool("promtool"), "check", "config", str(tmp_path / "prometheus.yml")])
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_written_has_a_place():
    """On a read-only root /data and /tmp must be mounted, once each, or a process ends at its first write."""
    for name in OURS:
        each = project()["services"][name]
        places = [mount.split(":")[0] for mount in each["tmpfs"]]
        places += [mount["target"] for mount in each["volumes"]]
        assert len(places) == len(set(places)), name
        assert {"/tmp", "/data"} <= set(places), name  # noqa: S108  the container's own


def test_memory_of_extract_holds_its_models_and_an_article():
    """The limit that ends an article as a dead letter must come before the one that kills the container."""
    extract = project()["services"]["extract"]
    megabytes = int(extract["environment"]["BRINKWATCH_EXTRACT_MEMORY_MB"])
    limit = re.fullmatch(r"(\d+)m", str(extract["mem_limit"]))
    assert limit
    assert int(limit[1]) >= 700 + megabytes


def test_variables_are_those_of_the_example():
    """What an operator may set must stand in env.example, with the default that holds."""
    defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", FILE.read_text()))
    told = dict(re.findall(r"^#([A-Z_]+)=(.*)$", (FOLDER / "env.example").read_text(), re.MULTILINE))
    assert told == {name: value for name, value in defaults.items() if name != "KAFKA_CLUSTER_ID"}


@pytest.mark.slow
def test_kafka_takes_its_configuration(tmp_path):
    """The image turns KAFKA_A_B into a.b: with these very properties a real Kafka must format its storage."""
    environment = project()["services"]["kafka"]["environment"]
    own = {"KAFKA_HEAP_OPTS"}
    properties = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in environment.items()
        if name.startswith("KAFKA_") and name not in own
    }
    properties["log.dirs"] = str(tmp_path / "data")
    file = tmp_path / "server.properties"
    file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    classpath = jars.ensure(load_settings().cache_dir)
    words = ["kafka.tools.StorageTool", "format", "-c", str(file)]
    done = subprocess.run(
        [str(find_java().path), "-cp", classpath, *words, "-t", environment["CLUSTER_ID"]],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "data" / "meta.properties").exists()
