"""The embedded broker behind TLS, SCRAM and access lists: what it is told beyond ``kafka_config``. Pure."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.process import LOOPBACK

MECHANISM = "SCRAM-SHA-512"
ITERATIONS = 8192
CONTROLLER = "controller"
_JAAS = "org.apache.kafka.common.security"


@dataclass(frozen=True, slots=True)
class Security:
    """How the broker proves who it is, and who may do everything; everybody else may do what a list allows.

    Attributes:
        keystore: PEM file of the broker's private key (PKCS #8) and certificate chain, for the name 127.0.0.1.
        cafile: PEM file of the CA that signed it, and that clients' certificates are checked against.
        user: The super user: the broker among itself, and whoever adds users and access lists.
        password: Its password; letters, digits, ``-`` and ``_`` only.
        salt: Of what the broker keeps of the password.
        client_certificates: Whether a client must show a certificate of the CA, too.
    """

    keystore: Path
    cafile: Path
    user: str
    password: str = field(repr=False)
    salt: bytes = field(repr=False)
    client_certificates: bool = False

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments of a kafka-python client that is the super user."""
        options: dict[str, Any] = {
            "security_protocol": "SASL_SSL",
            "ssl_cafile": str(self.cafile),
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
        }
        if self.client_certificates:
            options |= {"ssl_certfile": str(self.keystore)}
        return options

    def format_options(self) -> tuple[str, ...]:
        """Arguments of the storage tool that make the super user; the password is not among them."""
        salted = hashlib.pbkdf2_hmac("sha512", self.password.encode(), self.salt, ITERATIONS)
        fields = {
            "name": self.user,
            "iterations": ITERATIONS,
            "salt": f'"{base64.b64encode(self.salt).decode()}"',
            "saltedpassword": f'"{base64.b64encode(salted).decode()}"',
        }
        return ("--add-scram", f"{MECHANISM}=[{','.join(f'{key}={value}' for key, value in fields.items())}]")

    def properties(self, port: int, controller_port: int) -> dict[str, str]:
        """What takes the place of the plain listeners in ``server.properties``.

        The controller's listener can't use SCRAM, whose users are kept by the controller itself: it has one user, with
        the super user's password, over the same TLS.
        """
        plain = f'{_JAAS}.plain.PlainLoginModule required username="{CONTROLLER}" password="{self.password}"'
        return {
            "listeners": f"SASL_SSL://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
            "advertised.listeners": f"SASL_SSL://{LOOPBACK}:{port}",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:SASL_SSL",
            "inter.broker.listener.name": "SASL_SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.keystore),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.cafile),
            "listener.name.sasl_ssl.ssl.client.auth": "required" if self.client_certificates else "none",
            "sasl.enabled.mechanisms": f"{MECHANISM},SCRAM-SHA-256",
            "sasl.mechanism.inter.broker.protocol": MECHANISM,
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
                f'{_JAAS}.scram.ScramLoginModule required username="{self.user}" password="{self.password}";'
            ),
            "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": f"{_JAAS}.scram.ScramLoginModule required;",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": f'{plain} user_{CONTROLLER}="{self.password}";',
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{self.user};User:{CONTROLLER}",
        }
