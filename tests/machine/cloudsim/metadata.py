# SPDX-License-Identifier: Apache-2.0
"""Metadata services of four clouds, each a service for web.Web. All refuse what went through a proxy, as the real ones say they do.

EC2        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html (version 2 alone)
           https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html (categories)
GCE        https://cloud.google.com/compute/docs/metadata/querying-metadata
OpenStack  https://docs.openstack.org/nova/latest/user/metadata.html
Azure      https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
"""

import base64
import json
import secrets
import socket
import time

from cloudsim.web import Reply, text, value

REGION, ZONE, ROLE = "eu-central-1", "eu-central-1b", "ece-host"
PROJECT = "ece-project"
CLIENT = "5a1e3c0f-8c5b-4e5e-9d53-0a4f4c3f5b11"  # the client id of Azure's user-assigned identity
WIRESERVER = "168.63.129.16"
GOAL_STATE = """<?xml version="1.0" encoding="utf-8"?>
<GoalState><Version>2012-11-30</Version><Incarnation>1</Incarnation>
 <Container><ContainerId>c6d5526c-5ac2-4200-b6e2-56f2b70c5ab2</ContainerId>
  <RoleInstanceList><RoleInstance><InstanceId>i-azure-1</InstanceId></RoleInstance></RoleInstanceList></Container></GoalState>
"""


def at(tree, path):
    """What is at the words of path in a tree of dicts, or None."""
    for word in path:
        tree = tree.get(word) if isinstance(tree, dict) else None
    return tree


class Ec2:
    """Only with a session of version 2, which a PUT gives and time takes away."""

    dmi = {"system-uuid": "ec2e1916-9099-7caf-fd21-012345abcdef", "system-serial-number": "ec2e1916-9099-7caf-fd21-012345abcdef"}
    versions = ("2009-04-04", "2021-03-23", "latest")

    def __init__(self, user_data, host):
        self.sessions = {}
        self.role = {"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIA" + secrets.token_hex(8).upper(),
                     "SecretAccessKey": base64.b64encode(secrets.token_bytes(30)).decode(),
                     "Token": base64.b64encode(secrets.token_bytes(300)).decode(), "Expiration": "2099-01-01T00:00:00Z"}
        document = {"instanceId": "i-0123456789abcdef0", "region": REGION, "availabilityZone": ZONE}
        mac = {"device-number": "0", "local-ipv4s": host.address, "mac": host.mac, "vpc-id": "vpc-1",
               "subnet-ipv4-cidr-block": "192.0.2.0/24"}
        self.tree = {"user-data": user_data,
                     "dynamic": {"instance-identity": {"document": json.dumps(document)}},
                     "meta-data": {"ami-id": "ami-1", "instance-id": document["instanceId"], "local-hostname": host.name,
                                   "local-ipv4": host.address, "placement": {"availability-zone": ZONE, "region": REGION},
                                   "iam": {"security-credentials": {ROLE: json.dumps(self.role, indent=1)}},
                                   "network": {"interfaces": {"macs": {host.mac: mac}}}}}

    def secrets(self):
        return [self.role["SecretAccessKey"], self.role["Token"]]

    def _session(self, request) -> Reply:
        seconds = request.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if not (seconds.isdigit() and 1 <= int(seconds) <= 21600):
            return text("", 400)
        session = secrets.token_urlsafe(40)
        self.sessions[session] = time.monotonic() + int(seconds)
        return text(session)

    def __call__(self, request) -> Reply:
        words = [word for word in request.path.split("/") if word]
        if "x-forwarded-for" in request.headers:
            return text("", 403)
        if request.method == "PUT":
            return self._session(request) if words == ["latest", "api", "token"] else text("", 405)
        if self.sessions.get(request.headers.get("x-aws-ec2-metadata-token"), 0) < time.monotonic():
            return text("", 401)
        found = at(self.tree, words[1:]) if words and words[0] in self.versions else None
        if isinstance(found, dict):
            return text("\n".join(name + "/" * isinstance(each, dict) for name, each in found.items()))
        return text("", 404) if found is None else text(found)


class Gce:
    """Each request says Metadata-Flavor: Google, and each reply does."""

    dmi = {"system-product-name": "Google Compute Engine"}

    def __init__(self, user_data, host):
        self.access_token = "ya29." + secrets.token_urlsafe(80)
        self.tree = {"instance": {"id": "1234567890123456789", "zone": "projects/1/zones/europe-west3-b",
                                  "hostname": host.name + ".internal", "attributes": {"user-data": user_data},
                                  "service-accounts": {"default": {"token": json.dumps(
                                      {"access_token": self.access_token, "expires_in": 3599, "token_type": "Bearer"})}}},
                     "project": {"project-id": PROJECT, "attributes": {}}}

    def secrets(self):
        return [self.access_token]

    def _find(self, request) -> Reply:
        words = [word for word in request.path.split("/") if word]
        found = at(self.tree, words[2:]) if words[:2] == ["computeMetadata", "v1"] else None
        if isinstance(found, dict):
            whole = request.query.get("recursive", "").lower() == "true"
            return value(found) if whole else text("".join(name + "/" * isinstance(each, dict) + "\n" for name, each in found.items()))
        return text("", 404) if found is None else text(found)

    def __call__(self, request) -> Reply:
        flavour = request.headers.get("metadata-flavor") == "Google" and "x-forwarded-for" not in request.headers
        reply = self._find(request) if flavour else text("", 403)
        reply.headers["Metadata-Flavor"] = "Google"
        return reply


class OpenStack:
    """Nova's; it asks for nothing, and serves the older tree of EC2 as well."""

    dmi = {"system-product-name": "OpenStack Nova"}
    versions = ("2018-08-27", "latest")

    def __init__(self, user_data, host):
        self.files = self.documents(user_data, host)
        self.older = {"meta-data": {"instance-id": "i-00000001", "hostname": host.name, "local-ipv4": host.address}}

    @staticmethod
    def documents(user_data, host):
        """As they are below openstack/latest/, by service or on a config drive."""
        link = {"id": "tap1", "type": "bridge", "ethernet_mac_address": host.mac, "mtu": 1500}
        network = {"id": "network0", "link": "tap1", "type": "ipv4", "ip_address": host.address, "netmask": "255.255.255.0", "routes": []}
        return {"meta_data.json": json.dumps({"uuid": "d8e02d56-2648-49a3-bf97-6be8f1204f38", "name": host.name, "hostname": host.name,
                                              "availability_zone": "nova", "launch_index": 0}),
                "network_data.json": json.dumps({"links": [link], "networks": [network], "services": []}),
                "user_data": user_data, "vendor_data.json": "{}"}

    @staticmethod
    def secrets():
        return []

    def __call__(self, request) -> Reply:
        words = [word for word in request.path.split("/") if word]
        if words == ["openstack"]:
            return text("\n".join(self.versions))
        if len(words) > 1 and words[0] == "openstack" and words[1] in self.versions:
            found = "\n".join(self.files) if len(words) == 2 else at(self.files, words[2:])
        elif words and words[0] in ("2009-04-04", "latest"):
            found = at(self.older, words[1:])
        else:
            found = None
        if isinstance(found, dict):
            return text("\n".join(found))
        return text("", 404) if found is None else text(found)


class Azure:
    """IMDS: Metadata: true and an api-version that it knows. user_data: what it shows of it, None where it came as custom data."""

    dmi = {"chassis-asset-tag": "7783-7084-3265-9085-8269-3286-77", "system-uuid": "527c2691-029f-4ae8-b1d7-ac0c6c2b9d60"}
    lease = {245: socket.inet_aton(WIRESERVER)}  # by which a host learns of the other service

    def __init__(self, user_data, host):
        self.access_token = "eyJ0eXAiOiJKV1QifQ." + secrets.token_urlsafe(200)
        compute = {"vmId": self.dmi["system-uuid"], "name": host.name, "location": "westeurope", "zone": "1", "publicKeys": [],
                   "osProfile": {"computerName": host.name, "adminUsername": "azureuser", "disablePasswordAuthentication": "true"},
                   "extendedLocation": {"type": "", "name": ""}, "ppsType": "None"}
        if user_data is not None:
            compute["userData"] = base64.b64encode(user_data.encode()).decode()
        interface = {"macAddress": host.mac.replace(":", "").upper(), "ipv6": {"ipAddress": []},
                     "ipv4": {"ipAddress": [{"privateIpAddress": host.address, "publicIpAddress": ""}],
                              "subnet": [{"address": "192.0.2.0", "prefix": "24"}]}}
        self.instance = {"compute": compute, "network": {"interface": [interface]}}

    def secrets(self):
        return [self.access_token]

    def __call__(self, request) -> Reply:
        if request.headers.get("metadata") != "true" or "x-forwarded-for" in request.headers or "api-version" not in request.query:
            return value({"error": "Bad request. Required metadata header not specified"}, 400)
        if request.path == "/metadata/instance":
            return value(self.instance)
        if request.path == "/metadata/identity/oauth2/token":
            resource = request.query.get("resource")
            if resource != "https://vault.azure.net" or request.query.get("client_id", CLIENT) != CLIENT:
                return value({"error": "invalid_request"}, 400)
            return value({"access_token": self.access_token, "expires_in": "86399", "resource": resource, "token_type": "Bearer"})
        return value({"error": "Not found"}, 404)


class Wireserver:
    """Azure's other service, at an address of its own: a goal state, and who has said to be ready. Not documented in public; from
    cloud-init's own sources/helpers/azure.py, and https://github.com/Azure/WALinuxAgent."""

    def __init__(self):
        self.reports = []

    def __call__(self, request) -> Reply:
        if "x-ms-version" not in request.headers:
            return text("", 400)
        if request.method == "POST" and request.query.get("comp") == "health":
            self.reports.append(request.body.decode())
            return text("")
        return Reply(200, GOAL_STATE.encode(), "text/xml") if request.query.get("comp") == "goalstate" else text("", 404)


def custom_data(user_data, host) -> str:
    """ovf-env.xml of the provisioning disk: where Azure puts custom data, with what cloud-init's documentation has as its form.
    https://cloudinit.readthedocs.io/en/latest/reference/datasources/azure.html"""
    return """<?xml version="1.0" encoding="utf-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:oe="http://schemas.dmtf.org/ovf/environment/1"
 xmlns:wa="http://schemas.microsoft.com/windowsazure" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
 <wa:ProvisioningSection><wa:Version>1.0</wa:Version>
  <LinuxProvisioningConfigurationSet xmlns="http://schemas.microsoft.com/windowsazure">
   <ConfigurationSetType>LinuxProvisioningConfiguration</ConfigurationSetType>
   <HostName>%s</HostName><UserName>azureuser</UserName>
   <DisableSshPasswordAuthentication>true</DisableSshPasswordAuthentication>
   <CustomData>%s</CustomData>
  </LinuxProvisioningConfigurationSet>
 </wa:ProvisioningSection>
 <wa:PlatformSettingsSection><wa:Version>1.0</wa:Version>
  <PlatformSettings xmlns="http://schemas.microsoft.com/windowsazure">
   <KmsServerHostname>kms.core.windows.net</KmsServerHostname><ProvisionGuestAgent>false</ProvisionGuestAgent>
  </PlatformSettings>
 </wa:PlatformSettingsSection>
</Environment>
""" % (host.name, base64.b64encode(user_data.encode()).decode())
