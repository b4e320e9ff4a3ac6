# SPDX-License-Identifier: Apache-2.0
"""The user data of packaging/terraform, rendered without Terraform, where there is none.

Of the template language (https://developer.hashicorp.com/terraform/language/expressions/strings#string-templates) only what the template
uses: `${name}`, and lines `%{ if name ~}` ... `%{ endif ~}`, which are away with their line ends. Anything else is an error. test_terraform.py
holds it against the real one where that is.
"""

import json
import pathlib
import re

TERRAFORM = pathlib.Path(__file__).resolve().parents[2] / "packaging/terraform"
CA = "-----BEGIN CERTIFICATE-----\nTHE CA OF THE COORDINATORS\n-----END CERTIFICATE-----\n"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SPEC = {"version": 1, "coordinators": ["https://192.0.2.10:12443"], "trust": {"ca_file": "/etc/ece-enroll/coordinator-ca.pem"},
        "token": {"source": "credential", "name": "ece-token"}, "verify": {"by": "local"},
        "host": {"roles": ["allocator"], "availability_zone": "ece-zone-1b"}, "installer": {"script": "/opt/ece/elastic-cloud-enterprise.sh"}}


def values(token="THE.ROLES.TOKEN", spec=None, package="ece-enroll.deb"):
    """What main.tf gives to the template; the spec as JSON, which is YAML as well."""
    return {"by_token": bool(token), "token": json.dumps((token or "") + "\n"), "ca": json.dumps(CA), "spec": json.dumps(json.dumps(spec or SPEC) + "\n"),
            "by_url": bool(package), "by_name": not package, "package_url": "https://mirror.example.com/" + package if package else "",
            "package_sha256": SHA256 if package else "", "package_file": "/var/cache/" + package,
            "install": "dnf install --assumeyes" if package.endswith(".rpm") else "apt-get install --yes --no-install-recommends"}


def render(given):
    lines, shown = [], [True]
    for line in (TERRAFORM / "user-data.yaml.tftpl").read_text(encoding="utf-8").splitlines(keepends=True):
        directive = re.fullmatch(r"%\{ (?:if (\w+)|(endif)) ~\}\n", line)
        if directive and directive[2]:
            shown.pop()
        elif directive:
            shown.append(given[directive[1]])
        elif all(shown):
            lines.append(re.sub(r"\$\{(\w+)\}", lambda match: str(given[match[1]]), line))
        if "%{" in line and not directive:
            raise ValueError("a directive that is not known here: " + line)
    if len(shown) != 1:
        raise ValueError("if and endif don't match")
    text = "".join(lines)
    if "${" in text or "%{" in text:
        raise ValueError("an expression that is not known here")
    return text


def files(user_data):
    """{path: (mode, text)} of write_files, in the one form that the template has."""
    found = re.findall(r'^  - path: (\S+)\n    permissions: "(\d+)"\n    content: (".*")$', user_data, re.MULTILINE)
    return {path: (int(mode, 8), json.loads(text)) for path, mode, text in found}
