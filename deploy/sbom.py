#!/usr/bin/env python3
"""Prints an SPDX 2.3 document (JSON) of what is shipped: the Swift packages that the build resolved, and Debian's libraries.

    deploy/sbom.py COMMIT > sluice.spdx.json

Reads Package.resolved, which a build leaves behind, and the packages that deploy/docker/Dockerfile installs. The time is that of
the commit, so the same sources give the same document.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
commit = sys.argv[1]


def package(name: str, version: str, location: str, purl: str) -> dict:
    reference = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
    return {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name),
        "name": name,
        "versionInfo": version,
        "downloadLocation": location,
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": [reference],
    }


def swift_packages() -> list[dict]:
    packages = []
    for pin in sorted(json.loads((ROOT / "Package.resolved").read_text())["pins"], key=lambda pin: pin["identity"]):
        state, location = pin["state"], pin["location"].removesuffix(".git")
        version = state.get("version", state["revision"])
        purl = f"pkg:swift/{location.removeprefix('https://')}@{version}"
        packages.append(package(pin["identity"], version, f"git+{location}@{state['revision']}", purl))
    return packages


def debian_packages() -> list[dict]:
    """The version is that of this machine where it has the package; an image says its own with `dpkg-query`."""
    names = re.search(r'RUNTIME_PACKAGES="([^"]*)"', (ROOT / "deploy/docker/Dockerfile").read_text())
    packages = []
    for name in names[1].split():
        query = ["dpkg-query", "--show", "--showformat=${Version}", name]
        version = subprocess.run(query, capture_output=True, text=True, check=False).stdout or "NOASSERTION"
        packages.append(package(name, version, "NOASSERTION", f"pkg:deb/debian/{name}@{version}?distro=bookworm"))
    return packages


created = subprocess.run(
    ["git", "-C", str(ROOT), "show", "--no-patch", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%cd", commit],
    capture_output=True, text=True, check=True, env={"TZ": "UTC0", "PATH": "/usr/bin:/bin"},
).stdout.strip()
root = package("sluice", commit, "NOASSERTION", f"pkg:generic/sluice@{commit}") | {"licenseDeclared": "Apache-2.0"}
parts = swift_packages() + debian_packages()
document = {
    "spdxVersion": "SPDX-2.3",
    "dataLicense": "CC0-1.0",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": "sluice",
    "documentNamespace": f"urn:sluice:sbom:{commit}",
    "creationInfo": {"created": created, "creators": ["Tool: deploy/sbom.py"]},
    "packages": [root] + parts,
    "relationships": [
        {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": root["SPDXID"]}
    ] + [
        {"spdxElementId": root["SPDXID"], "relationshipType": "DEPENDS_ON", "relatedSpdxElement": part["SPDXID"]}
        for part in parts
    ],
}
json.dump(document, sys.stdout, indent=2)
print()
