"""The doctor says what is missing and how to get it, and changes nothing."""

from __future__ import annotations

import json
import re
import sys

import pytest
import typer
from typer.testing import CliRunner

from config.settings import load_settings
from deploy.local import doctor
from deploy.local.doctor import Check, examine, healthy
from deploy.local.process import Port
from pipeline.cli.doctor import doctor as command


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """Settings of a machine that has nothing yet; no Prism on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BRINKWATCH_PRISM", raising=False)
    return load_settings(cache_dir=tmp_path / "cache", data_dir=tmp_path / "data")


@pytest.fixture
def run(monkeypatch):
    """Runs the command with variables set."""
    app = typer.Typer()
    app.command()(command)

    def invoke(*arguments: str, **variables: object):
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))
        return CliRunner().invoke(app, list(arguments))

    return invoke


def test_what_is_not_needed_does_not_fail():
    """A port in use must be told, but an operator's script only stop for what is needed."""
    note = Check("a", ok=False, found="x", needed=False)
    assert healthy((note,))
    assert not healthy((note, Check("b", ok=False, found="x")))


def test_everything_missing_has_a_remedy(empty):
    """On a fresh machine each missing thing must come with the way to get it, and looking must not make anything."""
    checks = {check.name: check for check in examine(empty)}
    assert not checks["broker jars"].ok
    assert not checks["Prism"].ok
    assert all(check.remedy for check in checks.values() if not check.ok)
    assert not empty.cache_dir.exists()
    assert not empty.data_dir.exists()


def test_java_and_jars_are_not_needed_where_kafka_is_elsewhere(empty):
    """A replica in a container uses a Kafka of others: it must not be told to fetch a broker."""
    elsewhere = empty.model_copy(update={"bootstrap_servers": "kafka-1:9092,kafka-2:9092"})
    checks = {check.name: check for check in examine(elsewhere)}
    assert not checks["broker jars"].needed
    assert not checks["Java"].needed


def test_missing_model_is_named(empty):
    """A model that the settings name must be installed; none is downloaded at run time."""
    check = doctor.check_spacy_model(empty.model_copy(update={"spacy_model": "xx_no_such_model"}))
    assert not check.ok
    assert "xx_no_such_model" in check.found
    assert doctor.check_spacy_model(empty).ok


def test_taken_port_is_named(empty):
    """Which port is in use must be said."""
    with Port() as port:
        port._socket.listen()
        check = doctor.check_ports(empty.model_copy(update={"score_metrics_port": port.number}))
    assert not check.ok
    assert str(port.number) in check.found


def test_full_disk_and_file_in_the_way(empty, tmp_path, monkeypatch):
    """A disk without room, and a file where the folder must be, are both found before a start."""
    monkeypatch.setattr(doctor, "LEAST_DISK_BYTES", 2**80)
    assert not doctor.check_folder("data folder", tmp_path, "BRINKWATCH_DATA_DIR").ok
    monkeypatch.setattr(doctor, "LEAST_DISK_BYTES", 1)
    assert doctor.check_folder("data folder", tmp_path / "new" / "deep", "BRINKWATCH_DATA_DIR").ok
    (tmp_path / "file").write_text("")
    assert not doctor.check_folder("data folder", tmp_path / "file", "BRINKWATCH_DATA_DIR").ok


def test_json_is_machine_readable(run, tmp_path):
    """Scripts read the checks from stdout, and the exit code says whether something needed is missing."""
    result = run("--json", BRINKWATCH_CACHE_DIR=tmp_path, BRINKWATCH_PRISM=tmp_path / "none")
    checks = {check["name"]: check for check in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert checks["configuration"]["ok"]
    assert not checks["Prism"]["ok"]


def test_table_names_what_is_missing(run, tmp_path):
    """A person sees each check with a word that needs no colour."""
    result = run(BRINKWATCH_CACHE_DIR=tmp_path, BRINKWATCH_PRISM=tmp_path / "none", COLUMNS="200")
    assert result.exit_code == 1
    assert re.search(r"missing\s+broker jars\s+0 of \d+", result.stdout)
    assert re.search(r"ok\s+Python", result.stdout)


def test_faulty_configuration_does_not_hide_the_rest(run, tmp_path):
    """With a wrong setting the doctor must name it and still look at everything else."""
    result = run("--json", BRINKWATCH_LOG_LEVEL="loud", BRINKWATCH_CACHE_DIR=tmp_path)
    checks = {check["name"]: check for check in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert "BRINKWATCH_LOG_LEVEL" in checks["configuration"]["found"]
    assert checks["Python"]["ok"]


def test_importing_the_doctor_is_light():
    """The command line must start quickly: Beam, spaCy and Kafka are not imported to look."""
    import subprocess

    code = "import sys, deploy.local.doctor; print({'apache_beam', 'spacy', 'kafka'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"
