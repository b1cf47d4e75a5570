"""What one manifest names is there in another: commands, users, secrets, labels, ports, jobs."""

from __future__ import annotations

import re

import pytest
import yaml
from charts import ROOT, VARIANTS, containers, everywhere, manifests, of_kind, pods
from commands import fault_of

from deploy.acls import grants
from deploy.image.health import PORTS
from pipeline.records.topics import Topics

STRIMZI = ("default", "everything", "flink")
"""The variants whose users and topics are made by the chart."""
NAME = "watch-brinkwatch"


def environment(container):
    """What a container of ours is told."""
    return {entry["name"]: entry.get("value", "") for entry in container.get("env", ())}


def selected(selector, labels):
    """Whether a label selector takes these labels."""
    held = all(
        (labels.get(each["key"]) in each["values"]) is (each["operator"] == "In")
        for each in selector.get("matchExpressions", ())
    )
    return held and selector.get("matchLabels", {}).items() <= labels.items()


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_runs_is_a_command_of_ours(variant):
    """A role or an option that was renamed ends each pod at its start, for ever."""
    found = 0
    for name, (_, pod) in everywhere(variant).items():
        for each in containers(pod):
            if "brinkwatch" in each.get("image", "") and "args" in each:
                assert fault_of(each["args"]) is None, f"{name}: {fault_of(each['args'])}"
                found += 1
    assert found >= 3


@pytest.mark.parametrize("variant", VARIANTS)
def test_selectors_take_what_they_are_for(variant):
    """A selector that takes no pod is no error to Kubernetes: nobody is scraped, protected or confined by it."""
    labels = [labels for labels, _ in everywhere(variant).values()]
    for each in manifests(variant):
        spec = each.get("spec", {})
        if each["kind"] in {"Deployment", "StatefulSet"}:
            own = spec["template"]["metadata"]["labels"]
            assert selected(spec["selector"], own)
            assert sum(selected(spec["selector"], other) for other in labels) == 1, each["metadata"]["name"]
        elif each["kind"] == "PodDisruptionBudget":
            assert sum(selected(spec["selector"], other) for other in labels) == 1, each["metadata"]["name"]
        elif each["kind"] == "Service":
            assert sum(selected({"matchLabels": spec["selector"]}, other) for other in labels) == 1
        elif each["kind"] == "PodMonitor":
            assert all(selected(spec["selector"], other) for other in labels)
        elif each["kind"] == "NetworkPolicy":
            assert any(selected(spec["podSelector"], other) for other in labels), each["metadata"]["name"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_accounts_and_configuration_are_there(variant):
    """A pod whose service account or ConfigMap does not exist, or lacks a key, is never started."""
    accounts, maps = of_kind(variant, "ServiceAccount"), of_kind(variant, "ConfigMap")
    for name, (_, pod) in everywhere(variant).items():
        assert pod.get("serviceAccountName", NAME) in accounts, name
        for volume in pod.get("volumes", ()):
            if "configMap" in volume:
                keys = {item["key"] for item in volume["configMap"]["items"]}
                assert keys == set(maps[volume["configMap"]["name"]]["data"]), name


@pytest.mark.parametrize("variant", STRIMZI)
def test_pods_are_the_users_whose_secrets_they_mount(variant):
    """Another role's user is refused by the broker, and a pod whose secret nobody makes never starts."""
    users = of_kind(variant, "KafkaUser")
    own = {f"{NAME}-cluster-ca-cert", "receivers", "metrics-tls"}
    for name, (_, pod) in everywhere(variant).items():
        mounted = {volume["secret"]["secretName"] for volume in pod.get("volumes", ()) if "secret" in volume}
        assert mounted <= own | set(users), name
        told = [environment(each) for each in containers(pod)]
        who = {each["BRINKWATCH_SASL_USERNAME"] for each in told if "BRINKWATCH_SASL_USERNAME" in each}
        assert who == mounted - own, name
        assert who


@pytest.mark.parametrize("variant", ["default", "external", "everything"])
def test_users_are_those_of_their_role(variant):
    """Each process must come as the user that has its role's rights, and no other's."""
    for pod in pods(variant).values():
        (container,) = pod["containers"]
        role = container.get("args", [""])[0]
        if role in grants(Topics()):
            assert environment(container)["BRINKWATCH_SASL_USERNAME"] in {f"{NAME}-{role}", f"u-{role}"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_files_that_pods_are_told_of_are_mounted(variant):
    """A certificate or password at another place than the setting says ends the process at its start."""
    for name, (_, pod) in everywhere(variant).items():
        volumes = {volume["name"]: volume for volume in pod.get("volumes", ())}
        for each in containers(pod):
            mounts = {mount["mountPath"]: mount["name"] for mount in each.get("volumeMounts", ())}
            for variable, value in environment(each).items():
                if variable.startswith("BRINKWATCH_") and value.startswith("/run/secrets/"):
                    folder, _, file = value.rpartition("/")
                    items = volumes[mounts[folder]]["secret"]["items"]
                    assert file in {item["path"] for item in items}, f"{name}: {variable}"


@pytest.mark.parametrize("variant", VARIANTS)
def test_kafka_is_let_through_where_it_is_told_to_be(variant):
    """The port that processes connect to, that of the listener, and that of the policies must be one."""
    ports = {
        int(host.rsplit(":", 1)[1])
        for _, pod in everywhere(variant).values()
        for each in containers(pod)
        for host in environment(each).get("BRINKWATCH_BOOTSTRAP_SERVERS", "").split(",")
        if host
    }
    (names, kafka) = of_kind(variant, "NetworkPolicy")[f"{NAME}-all"]["spec"]["egress"]
    assert {(each["port"], each["protocol"]) for each in names["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert ports <= {each["port"] for each in kafka["ports"]}
    for each in of_kind(variant, "Kafka").values():
        listeners = each["spec"]["kafka"]["listeners"]
        assert [listener["port"] for listener in listeners] == [each["port"] for each in kafka["ports"]]
        (peer,) = kafka["to"]
        assert peer["podSelector"]["matchLabels"]["strimzi.io/cluster"] == each["metadata"]["name"]
        inside = listeners[0]["networkPolicyPeers"][0]["podSelector"]
        assert all(selected(inside, labels) for labels, _ in everywhere(variant).values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_metrics_are_scraped_let_through_and_called_as_the_rules_have_them(variant):
    """A port, a scheme or a job with another name looks like a process that is down, or like none at all."""
    (monitor,) = of_kind(variant, "PodMonitor").values()
    ends = {end["port"]: end for end in monitor["spec"]["podMetricsEndpoints"]}
    opened = of_kind(variant, "NetworkPolicy")[f"{NAME}-all"]["spec"]["ingress"][0]["ports"]
    jobs = set()
    for labels, pod in everywhere(variant).values():
        for each in containers(pod):
            for port in each.get("ports", ()):
                if port["containerPort"] not in PORTS.values():
                    continue
                end = ends[port["name"]]
                assert port["name"] in {each["port"] for each in opened}
                assert ("BRINKWATCH_METRICS_CERTFILE" in environment(each)) is (end["scheme"] == "https")
                (relabelling,) = end["relabelings"]
                role = labels["app.kubernetes.io/component"]
                assert relabelling["targetLabel"] == "job"
                jobs.add((relabelling["replacement"].replace("$1", role), port["containerPort"]))
    assert jobs
    assert jobs <= {(f"brinkwatch-{role}", port) for role, port in PORTS.items()}


def test_rules_ask_for_jobs_that_there_are():
    """A rule about a job that nobody is called never fires."""
    text = "\n".join(yaml.safe_dump(rule["spec"]) for rule in of_kind("default", "PrometheusRule").values())
    named = {job for match in re.findall(r'job=~?"([^"]*)"', text) for job in re.split(r"[|()?]", match) if job}
    roles = {*PORTS, "up"}
    assert {f"brinkwatch-{role}" for role in roles} & named
    for job in named - {f"brinkwatch-{role}" for role in roles}:
        assert any(re.fullmatch(job, f"brinkwatch-{role}") for role in roles) or job in roles | {"brinkwatch-"}, job


@pytest.mark.parametrize("variant", ["everything", "external"])
def test_scaling_by_lag_looks_at_extract(variant):
    """A scaler that asks for another group, or for a user that the pod has not, leaves extract as it is."""
    (scaled,) = of_kind(variant, "ScaledObject").values()
    (authentication,) = of_kind(variant, "TriggerAuthentication").values()
    (trigger,) = scaled["spec"]["triggers"]
    target = pods(variant)[f"Deployment/{scaled['spec']['scaleTargetRef']['name']}"]["containers"][0]
    topics = Topics()
    assert trigger["metadata"]["consumerGroup"] == topics.extract_group
    assert trigger["metadata"]["topic"] == topics.articles.name
    assert trigger["metadata"]["bootstrapServers"] == environment(target)["BRINKWATCH_BOOTSTRAP_SERVERS"]
    assert trigger["authenticationRef"]["name"] == authentication["metadata"]["name"]
    for each in authentication["spec"]["env"]:
        assert each["containerName"] == target["name"]
        assert each["name"] in environment(target)


def test_dashboards_take_the_prometheus_that_they_are_given():
    """A dashboard that names one source by its uid is empty wherever Grafana was provisioned by somebody else."""
    for board in (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"):
        text = board.read_text()
        assert '"type": "datasource"' in text
        assert set(re.findall(r'"type": "prometheus",\s*"uid": "([^"]*)"', text)) <= {"${datasource}"}
