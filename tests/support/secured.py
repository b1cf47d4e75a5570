"""A real broker behind TLS, SCRAM and access lists, with a user for each role."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives import serialization
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
    UserScramCredentialUpsertion,
)
from kafka.admin import ACLResourcePatternType as Pattern

from config.settings import Settings, load_settings
from deploy.acls import Grant, grants
from deploy.local.kafka import EmbeddedKafka
from deploy.local.kafka_security import Security
from pipeline.records.topics import Topics

HOST = "127.0.0.1"


def pem_of(cert: trustme.LeafCert, path: Path) -> Path:
    """Key and certificate chain in one file, the key as Java reads it (PKCS #8)."""
    key = serialization.load_pem_private_key(cert.private_key_pem.bytes(), None)
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pkcs8 + b"".join(part.bytes() for part in cert.cert_chain_pems))
    return path


class Secured:
    """The broker, its CA, and users whose passwords stand in files.

    Args:
        folder: For all of it.
        client_certificates: Whether a client must show a certificate.
        name: For whom the broker's certificate is made out.
    """

    def __init__(self, folder: Path, *, client_certificates: bool = False, name: str = HOST) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ca = trustme.CA()
        self.cafile = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(self.cafile))
        security = Security(
            pem_of(self.ca.issue_cert(name), folder / "broker.pem"),
            self.cafile,
            "admin",
            secrets.token_urlsafe(16),
            secrets.token_bytes(16),
            client_certificates,
        )
        self.security = security
        self.kafka = EmbeddedKafka(folder, load_settings().cache_dir, security=security, start_seconds=240)

    def client_certificate(self, name: str = "client.example") -> Path:
        """A certificate of the CA, with its key."""
        return pem_of(self.ca.issue_cert(name), self.folder / f"{name}.pem")

    def admin(self) -> KafkaAdminClient:
        """A client that may do everything."""
        return KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap_servers, **self.security.client_options())

    def add_user(self, name: str, password: str | None = None, mechanism: str = "SCRAM-SHA-512") -> Path:
        """A user, or a new password for it; the file that has the password."""
        password = password or secrets.token_urlsafe(16)
        file = self.folder / f"{name}.password"
        file.write_text(password + "\n", encoding="utf-8")
        admin = self.admin()
        try:
            problems = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(name, mechanism, password)])
        finally:
            admin.close()
        assert not any(problems.values()), problems
        return file

    def grant_roles(self, topics: Topics) -> None:
        """A user for each role of ``deploy.acls``, with its grants and no more."""
        roles = grants(topics)
        for role in roles:
            self.add_user(role)
        admin = self.admin()
        try:
            result = admin.create_acls(
                [acl for role, held in roles.items() for grant in held for acl in acls(role, grant)]
            )
        finally:
            admin.close()
        assert not result["failed"], result["failed"]

    def settings(self, user: str, prefix: str, **changes: Any) -> Settings:
        """Settings of an installation on this broker, as ``user``."""
        file = self.folder / f"{user}.password"
        values = {
            "bootstrap_servers": self.kafka.bootstrap_servers,
            "security_protocol": "SASL_SSL",
            "sasl_username": user,
            "sasl_password": file.read_text(encoding="utf-8").strip(),
            "ssl_cafile": self.cafile,
            "topic_prefix": prefix,
            "data_dir": self.folder / "data" / user,
        }
        return load_settings(**{**values, **changes})


def acls(user: str, grant: Grant) -> list[ACL]:
    """A grant as the broker takes it."""
    kind = ResourceType[grant.resource.name]
    pattern = ResourcePattern(kind, grant.name, Pattern.PREFIXED if grant.prefixed else Pattern.LITERAL)
    return [
        ACL(f"User:{user}", "*", ACLOperation[operation.name], ACLPermissionType.ALLOW, pattern)
        for operation in grant.operations
    ]
