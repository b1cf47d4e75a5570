"""The runners that conformance is asked of: ``--runner prism``, ``fnapi``, ``flink``."""

from __future__ import annotations

import pytest
from runners import NO_FLINK, Runner

from config.settings import load_settings

DEFAULT = ["prism", "fnapi"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test once for each runner."""
    if "runner" in metafunc.fixturenames:
        names = metafunc.config.getoption("--runner") or DEFAULT
        metafunc.parametrize("runner", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def runner(request, tmp_path_factory):
    """The runner, started."""
    settings = load_settings()
    given = settings.flink_job_server or settings.flink_job_server_jar or settings.flink_job_server_download
    if request.param == "flink" and not given:
        pytest.skip(NO_FLINK)
    with Runner(request.param, settings, tmp_path_factory.mktemp("runner")) as found:
        yield found
