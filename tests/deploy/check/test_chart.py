"""The chart: valid to Kubernetes and the operators, confined, and with the rights and settings of the code."""

from __future__ import annotations

import ipaddress
import json
import re
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml
from charts import (
    CHART,
    EXTERNAL,
    KUBERNETES,
    ROOT,
    VARIANTS,
    containers,
    everywhere,
    helm,
    manifests,
    of_kind,
    pods,
    rendered,
    run,
    tool,
)

from config.settings import PREFIX, Settings
from deploy.acls import Grant, Operation, Resource, grants
from deploy.chart import KAFKA, SCHEMA, kafka_text, schema_text
from deploy.image.health import PORTS
from pipeline.records.topics import Topics

CRDS = ROOT.parent / "shared" / "schemas" / "crd"
"""JSON schemas of the operators' resources, where they lie beside the repository."""
OPERATORS = {"kafka.strimzi.io", "flink.apache.org", "monitoring.coreos.com"}
EXCUSED = {
    # A limit of CPU slows a process that the node has room for; what it asks for is its share.
    "CPU limit is not set",
    # The tag is a version, or there is a digest: a restart must not need the registry.
    "ImagePullPolicy is not set to Always",
}
BY_OPERATOR = {"watch-brinkwatch-flink-job-manager"}
"""Network policies of pods that Flink's operator makes, of which kube-score knows nothing."""


def test_generated_files_are_of_this_code():
    """Topics, rights and settings of the chart come from the code: a change there must not stay as it was here."""
    assert KAFKA.read_text() == kafka_text(), "run `python -m deploy.chart`"
    assert SCHEMA.read_text() == schema_text(SCHEMA.read_text()), "run `python -m deploy.chart`"


@pytest.mark.parametrize("variant", VARIANTS)
def test_helm_lint(variant):
    """Helm's own rules, and the schema of values."""
    done = helm("lint", "--strict", str(CHART), values=VARIANTS[variant])
    assert done.returncode == 0, done.stdout + done.stderr


def test_core_kinds_are_valid(tmp_path):
    """A field that is misspelt or misplaced is dropped by Kubernetes without a word: strict validation refuses it."""
    # Together they hold all that there is; one process for all, for it takes seconds to start.
    files = [tmp_path / f"{variant}.yaml" for variant in ("everything", "external", "flink")]
    for file in files:
        file.write_text(rendered(file.stem))
    done = run([tool("kubernetes-validate"), "-k", KUBERNETES, "--strict", "--no-warn", *map(str, files)])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("variant", VARIANTS)
def test_resources_of_operators_are_valid(variant):
    """The same for Strimzi's, Flink's and Prometheus' operators, by the schemas of their resource definitions."""
    if not CRDS.is_dir():
        pytest.skip(f"no schemas of the operators' resources in {CRDS}")
    checked = 0
    for each in manifests(variant):
        group, _, version = each["apiVersion"].partition("/")
        if group in OPERATORS:
            _validator(f"{each['kind'].lower()}-{group}-{version}.json").validate(each)
            checked += 1
    assert checked


@cache
def _validator(name: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads((CRDS / name).read_text()))


@pytest.mark.parametrize("variant", VARIANTS)
def test_kube_score_finds_nothing(variant, tmp_path):
    """Probes, resources, security, policies and budgets as is good practice; what is excused says why, above."""
    file = tmp_path / "manifests.yaml"
    file.write_text(rendered(variant))
    version = f"v{KUBERNETES}"
    done = run([tool("kube-score"), "score", "--kubernetes-version", version, "--output-format", "ci", str(file)])
    lines = [line for line in done.stdout.splitlines() if line.startswith(("[CRITICAL]", "[WARNING]"))]
    assert "[OK]" in done.stdout, done.stderr
    excused = [line for line in lines if any(line.endswith(why) for why in EXCUSED)]
    excused += [line for line in lines if line.split()[1] in BY_OPERATOR and "doesn't match any pods" in line]
    assert not set(lines) - set(excused)


@pytest.mark.parametrize("variant", VARIANTS)
def test_pods_meet_the_restricted_standard(variant):
    """A namespace that enforces the restricted Pod Security Standard must take every pod; none needs its token."""
    assert pods(variant)
    for name, pod in pods(variant).items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        for each in containers(pod):
            context = each["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
            assert context["runAsUser"] > 0, name


@pytest.mark.parametrize("variant", VARIANTS)
def test_settings_are_known_and_hold_no_secret(variant):
    """A misspelt setting is refused by the process; a password in the environment is read by whoever may read pods."""
    for name, pod in pods(variant).items():
        for each in containers(pod):
            told = {entry["name"]: entry["value"] for entry in each.get("env", ()) if entry["name"].startswith(PREFIX)}
            names = {variable.removeprefix(PREFIX).removesuffix("_FILE").lower() for variable in told}
            assert names <= set(Settings.model_fields), name
            assert "BRINKWATCH_SASL_PASSWORD" not in told


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_volume_mounted_is_there(variant):
    """A mount without its volume is refused only by a real API server."""
    for name, pod in pods(variant).items():
        there = [volume["name"] for volume in pod["volumes"]]
        assert len(there) == len(set(there)), name
        claimed = {"data"} if name.startswith("StatefulSet/") else set()
        mounted = {mount["name"] for each in containers(pod) for mount in each.get("volumeMounts", ())}
        assert mounted <= set(there) | claimed, name


@pytest.mark.parametrize("variant", ["default", "external", "everything"])
def test_roles_are_probed_where_they_listen(variant):
    """A probe on another port would have a healthy process restarted for ever."""
    for name, pod in pods(variant).items():
        if name.startswith("Job/") or name.endswith("-console"):
            continue
        (container,) = pod["containers"]
        role = container["args"][0]
        assert container["ports"][0] == {"name": "metrics", "containerPort": PORTS[role], "protocol": "TCP"}
        told = {entry["name"] for entry in container["env"]}
        scheme = "HTTPS" if "BRINKWATCH_METRICS_CERTFILE" in told else "HTTP"
        for probe, path in (("startup", "/livez"), ("liveness", "/livez"), ("readiness", "/readyz")):
            asked = container[f"{probe}Probe"]["httpGet"]
            assert asked == {"path": path, "port": "metrics", "scheme": scheme}


def test_users_have_the_grants_of_the_code():
    """Each user's rights are those of its role, with the prefix of the installation; nobody may delete."""
    done = helm("template", "watch", str(CHART), "--kube-version", f"{KUBERNETES}.0", values={"topicPrefix": "own_1"})
    held = {each["metadata"]["name"]: each for each in yaml.safe_load_all(done.stdout) if each["kind"] == "KafkaUser"}
    wanted = grants(Topics("own_1"))
    roles = {"connect", "extract", "score", "monitor", "viewer", "operator"}
    assert set(held) == {f"watch-brinkwatch-{role}" for role in roles}
    for role in roles:
        acls = held[f"watch-brinkwatch-{role}"]["spec"]["authorization"]["acls"]
        assert [_grant(acl) for acl in acls] == list(wanted[role])


def _grant(acl):
    """An access rule of Strimzi as the grant that it is."""
    types = {"topic": Resource.TOPIC, "group": Resource.GROUP, "transactionalId": Resource.TRANSACTIONAL_ID}
    resource, operations = acl["resource"], tuple(map(Operation, acl["operations"]))
    if resource["type"] == "cluster":
        return Grant(Resource.CLUSTER, "kafka-cluster", operations)
    return Grant(types[resource["type"]], resource["name"], operations, resource["patternType"] == "prefix")


def test_subscribers_are_apart():
    """A subscriber that could join another's group would take alerts from it."""
    users = of_kind("everything", "KafkaUser")
    for name in ("desk", "archive"):
        acls = users[f"watch-brinkwatch-subscriber-{name}"]["spec"]["authorization"]["acls"]
        groups = [acl["resource"] for acl in acls if acl["resource"]["type"] == "group"]
        assert groups == [{"type": "group", "name": f"brinkwatch.subscriber.{name}", "patternType": "literal"}]
        assert {tuple(acl["operations"]) for acl in acls} == {("Read",)}


def test_console_is_the_user_that_was_named():
    """A shell for people must have the rights of that user alone."""
    pod = pods("everything")["Deployment/watch-brinkwatch-console"]
    told = {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}
    assert told["BRINKWATCH_SASL_USERNAME"] == "watch-brinkwatch-subscriber-desk"
    secrets = {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
    assert secrets == {"watch-brinkwatch-subscriber-desk", "watch-brinkwatch-cluster-ca-cert"}


def test_topics_are_those_of_the_code():
    """Topics that Strimzi makes must be as declared, or with more partitions where that is wished."""
    made = {
        each["spec"]["topicName"]: (each["spec"]["partitions"], each["spec"]["config"])
        for each in of_kind("everything", "KafkaTopic").values()
    }
    declared = {topic.name: (topic.partitions, topic.configs) for topic in Topics().all}
    articles = Topics().articles
    assert made == {**declared, articles.name: (12, articles.configs)}


def test_connect_reaches_the_internet_and_nothing_inside():
    """An address in a feed that leads into the cluster, or to a cloud's metadata, must find no way."""
    policy = of_kind("default", "NetworkPolicy")["watch-brinkwatch-connect"]["spec"]
    (rule,) = policy["egress"]
    assert [port["port"] for port in rule["ports"]] == [80, 443]
    blocks = [peer["ipBlock"] for peer in rule["to"]]
    for address in ("10.1.2.3", "169.254.169.254", "192.168.0.1", "172.20.0.1", "100.64.0.1", "127.0.0.1", "fd00::1"):
        assert not _reached(blocks, address), address
    for address in ("fe80::1", "::1", "64:ff9b::a00:1", "2002:a00:1::"):
        assert not _reached(blocks, address), address
    for address in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"):
        assert _reached(blocks, address), address


def _reached(blocks, address):
    at = ipaddress.ip_address(address)
    return any(
        at in ipaddress.ip_network(block["cidr"])
        and not any(at in ipaddress.ip_network(net) for net in block["except"])
        for block in blocks
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_pods_are_closed_by_default(variant):
    """Every pod of the release is in the policy that denies, and only the metrics port is opened to others."""
    policies = of_kind(variant, "NetworkPolicy")
    deny = policies["watch-brinkwatch-deny"]["spec"]
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in deny
    assert "egress" not in deny
    selector = deny["podSelector"]["matchLabels"].items()
    for each in manifests(variant):
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}:
            assert selector <= each["spec"]["template"]["metadata"]["labels"].items()
    names = ["metrics", "extract-metrics", "score-metrics"] if variant == "flink" else ["metrics"]
    opened = [rule["ports"] for rule in policies["watch-brinkwatch-all"]["spec"]["ingress"]]
    assert opened == [[{"port": name, "protocol": "TCP"} for name in names]]


def test_pushes_come_by_the_ingress_to_where_connect_listens():
    """From the address that hubs are told to the socket: one host, path, port and policy, or no push ever arrives."""
    (container,) = pods("everything")["StatefulSet/watch-brinkwatch-connect"]["containers"]
    told = {entry["name"]: entry["value"] for entry in container["env"]}
    port = Settings.model_fields["websub_port"].default
    assert told["BRINKWATCH_WEBSUB_CALLBACK_URL"] == "https://news.example:8443/websub"
    assert told["BRINKWATCH_WEBSUB_HOST"] == told["BRINKWATCH_METRICS_HOST"]
    assert container["ports"][1:] == [{"name": "websub", "containerPort": port, "protocol": "TCP"}]
    service = of_kind("everything", "Service")["watch-brinkwatch-connect-websub"]["spec"]
    assert service["selector"].items() <= everywhere("everything")["StatefulSet/watch-brinkwatch-connect"][0].items()
    assert [(each["port"], each["targetPort"]) for each in service["ports"]] == [(port, "websub")]
    ingress = of_kind("everything", "Ingress")["watch-brinkwatch-connect-websub"]
    assert ingress["metadata"]["annotations"] == {"example.org/limit": "8m"}
    assert ingress["spec"]["tls"] == [{"hosts": ["news.example"], "secretName": "news-tls"}]
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"], path["pathType"]) == ("news.example", "/websub", "Prefix")
    assert path["backend"]["service"] == {"name": "watch-brinkwatch-connect-websub", "port": {"name": "websub"}}
    policy = of_kind("everything", "NetworkPolicy")["watch-brinkwatch-connect-websub"]["spec"]
    assert policy["podSelector"]["matchLabels"] == service["selector"]
    (rule,) = policy["ingress"]
    assert rule["from"]
    assert rule["ports"] == [{"port": "websub", "protocol": "TCP"}]


@pytest.mark.parametrize("variant", ["default", "external", "flink"])
def test_nothing_listens_for_pushes_unless_it_is_wished(variant):
    """WebSub is off until an address is given: no port, no way in."""
    assert "websub" not in rendered(variant).lower()


def test_memory_of_extract_holds_its_models_and_an_article():
    """The limit that ends an article as a dead letter must come before the one that kills the pod."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())["extract"]
    limit = re.fullmatch(r"(\d+)Mi", values["resources"]["limits"]["memory"])
    assert limit
    assert int(limit[1]) >= 700 + values["memoryMb"]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"extrct": {}}, "extrct"),
        ({"extract": {"replica": 3}}, "replica"),
        ({"settings": {"SASL_PASSWORD": "geheim"}}, "SASL_PASSWORD"),
        ({"score": {"settings": {"SCORE_BACH": 100}}}, "SCORE_BACH"),
        ({"settings": {"METRICS_PASSWORD": "geheim"}}, "METRICS_PASSWORD"),
        ({"extract": {"settings": {"EXTRACT_METRICS_PORT": 9999}}}, "EXTRACT_METRICS_PORT"),
        ({"config": {"../feeds.yaml": ""}}, "feeds.yaml"),
        ({"topicPrefix": "Not A Prefix"}, "topicPrefix"),
        ({"connect": {"websub": {"callbackUrl": "http://news.example/websub"}}}, "callbackUrl"),
        ({"connect": {"settings": {"WEBSUB_PORT": 9999}}}, "WEBSUB_PORT"),
        ({"notify": {"enabled": True}}, "receivers.yaml"),
        ({"console": {"enabled": True, "user": "subscriber-nobody"}}, "nobody"),
        ({"kafka": {"strimzi": {"enabled": False}}}, "bootstrapServers"),
        ({"flink": {"enabled": True}}, "checkpointStorage"),
        (
            {"kafka": {**EXTERNAL["kafka"], "external": {**EXTERNAL["kafka"]["external"], "users": {}}}},
            "kafka.external.users",
        ),
    ],
)
def test_wrong_values_are_refused_by_name(values, word):
    """A value that means nothing, or a password in plain sight, must stop the roll-out and say which it is."""
    done = helm("template", "watch", str(CHART), "--kube-version", f"{KUBERNETES}.0", values=values)
    assert done.returncode != 0
    assert word in done.stderr


def test_values_of_the_guide_are_taken():
    """What a person copies from docs/deploy.md must render as it stands there."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        values = yaml.safe_load(block)
        done = helm("template", "brinkwatch", str(CHART), "--kube-version", f"{KUBERNETES}.0", values=values)
        assert done.returncode == 0, done.stderr
        assert "name: brinkwatch-score\n" in done.stdout


def test_configuration_files_reach_the_folder_and_change_there(tmp_path):
    """The pod's script must lay a ConfigMap's files over the image's, and a changed alerts.yaml be seen in place."""
    pod = pods("everything")["Deployment/watch-brinkwatch-score"]
    script = pod["initContainers"][0]["command"][2]
    image, config, mounted = tmp_path / "image", tmp_path / "config", tmp_path / "overrides"
    for folder in (image / "gazetteer", config, mounted / "..1" / "gazetteer"):
        folder.mkdir(parents=True)
    (image / "alerts.yaml").write_text("image's")
    (image / "gazetteer" / "states.yaml").write_text("image's")
    _publish(mounted, "..1", "first")
    places = {
        "/opt/brinkwatch/config": image,
        "/run/brinkwatch/overrides": mounted,
        "/config/": f"{config}/",
    }
    for place, folder in places.items():
        script = script.replace(place, str(folder))
    done = run(["sh", "-euc", script])
    assert done.returncode == 0, done.stderr
    assert (config / "alerts.yaml").read_text() == "first"
    assert (config / "gazetteer" / "own.yaml").read_text() == "first"
    assert (config / "gazetteer" / "states.yaml").read_text() == "image's"
    (mounted / "..2" / "gazetteer").mkdir(parents=True)
    _publish(mounted, "..2", "second")
    assert (config / "alerts.yaml").read_text() == "second"


def _publish(mounted: Path, version: str, text: str) -> None:
    """As the kubelet does: a new folder, and one link that is moved to it."""
    for file in ("alerts.yaml", "gazetteer/own.yaml"):
        (mounted / version / file).write_text(text)
    link = mounted / "..data"
    link.unlink(missing_ok=True)
    link.symlink_to(version)
    for name in ("alerts.yaml", "gazetteer"):
        if not (mounted / name).is_symlink():
            (mounted / name).symlink_to(f"..data/{name}")


def test_rules_and_dashboards_are_taken_along():
    """Each file of rules and each dashboard of deploy/ must be in the release, as it stands."""
    rules = of_kind("default", "PrometheusRule")
    files = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
    assert [rule["spec"] for rule in rules.values()] == [yaml.safe_load(file.read_text()) for file in files]
    boards = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
    found = {key: text for each in of_kind("default", "ConfigMap").values() for key, text in each["data"].items()}
    assert found == {board.name: board.read_text() for board in boards}


def test_flink_has_a_pool_for_each_job_beside_it():
    """A job's worker pool is where its submission says, on the task manager's loopback; each has a slot."""
    (deployment,) = of_kind("flink", "FlinkDeployment").values()
    manager = deployment["spec"]["taskManager"]["podTemplate"]["spec"]
    pools = {each["args"][1]: f"127.0.0.1:{each['args'][3]}" for each in manager["containers"] if each.get("args")}
    assert set(pools) == {"extract", "score"}
    assert deployment["spec"]["flinkConfiguration"]["taskmanager.numberOfTaskSlots"] == "2"
    for role, pool in pools.items():
        submit = pods("flink")[f"Job/watch-brinkwatch-submit-{role}"]["containers"][0]
        told = {entry["name"]: entry["value"] for entry in submit["env"]}
        assert submit["args"] == [role]
        assert told["BRINKWATCH_FLINK_WORKER_POOL"] == pool
        assert told["BRINKWATCH_RUNNER"] == "flink"
    assert set(of_kind("flink", "Deployment")) == {"watch-brinkwatch-monitor"}
