"""The bill of materials: ``python -m deploy.sbom build/sbom.cdx.json`` writes what ``deploy.dependencies`` finds.

CycloneDX 1.6, in JSON. It has no random number, and no time but that of ``SOURCE_DATE_EPOCH`` where it is given: the
same dependencies give the same bytes.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from deploy.dependencies import ROOT, Dependency, jars, packages, prism


def bom(dependencies: Iterable[Dependency], ours: str, at: datetime) -> Bom:
    """The bill of Brinkwatch in version ``ours``, as of ``at``."""
    found = sorted(dependencies)
    root = Component(
        type=ComponentType.APPLICATION, name=ROOT, version=ours, bom_ref=ROOT, licenses=_licences("Apache-2.0")
    )
    components = [_component(each) for each in found]
    made = Bom(components=components, serial_number=_serial(found, ours))
    made.metadata.component, made.metadata.timestamp = root, at
    made.register_dependency(root, components)
    return made


def main(path: Path) -> None:
    """Write it."""
    at = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), UTC)
    made = bom((*packages(), *jars(), prism()), version(ROOT), at)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(make_outputter(made, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2) + "\n")


def _component(dependency: Dependency) -> Component:
    group, _, name = dependency.name.rpartition(":")
    digest = [HashType(alg=HashAlgorithm.SHA_256, content=dependency.sha256)] if dependency.sha256 else []
    return Component(
        type=ComponentType.APPLICATION if dependency.name == "prism" else ComponentType.LIBRARY,
        name=name,
        group=group or None,
        version=dependency.version,
        bom_ref=dependency.purl,
        purl=PackageURL.from_string(dependency.purl),
        licenses=_licences(dependency.licence),
        description=dependency.purpose,
        hashes=digest,
    )


def _licences(expression: str) -> list[License]:
    return [LicenseFactory().make_from_string(expression)]


def _serial(dependencies: Iterable[Dependency], ours: str) -> uuid.UUID:
    """One for each content, as a serial number must be."""
    names = "\n".join(f"{each.purl} {each.sha256}" for each in dependencies)
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{ROOT} {ours}\n{names}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
