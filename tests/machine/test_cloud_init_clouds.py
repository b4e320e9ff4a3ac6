# SPDX-License-Identifier: Apache-2.0
"""First boot on each cloud: a real cloud-init with that cloud's own datasource, a simulated cloud around the host, and the examples as
they stand. With each the token variant, then the one whose API key lies in the cloud's store of secrets.

Not shown here: that cloud-init sets up the network (the bed has done so; the datasource's own early one, by DHCP, is there), that
it recognises a cloud by itself (each host is told its datasource, and what its firmware says), and Azure's provisioning disk,
whose file is in the seed directory instead: a container has no disks.
"""

from bed import METADATA, WIRESERVER
from cloudhost import EXAMPLES, CloudMachine
from cloudsim import sigv4
from cloudsim.metadata import Azure, Ec2, Gce, OpenStack, Wireserver, custom_data
from cloudsim.stores import ByHost, KeyVault, SecretManager, SecretsManager
from cloudsim.web import Request


class Clouds(CloudMachine):
    def on(self, cloud, datasource, user_data):
        """(host, its metadata service, the server that it is on)"""
        host = self.image(datasource, cloud.dmi)
        host.write("etc/hosts", "127.0.0.1 localhost\n%s metadata.google.internal\n" % METADATA)
        self.dhcp(host, getattr(cloud, "lease", None))
        metadata = cloud(user_data, host)
        return host, metadata, self.web((METADATA, 80), metadata)

    def keep(self, host, command, store, metadata, name):
        """The API key in a cloud's store, and on the host nothing but the command that fetches it."""
        host.write("etc/ece-enroll/" + command, (EXAMPLES / "credential-commands" / command).read_bytes(), 0o755)
        kept = store(metadata, name, self.key)
        return kept, self.secure(host, ByHost(kept))

    def assertFetched(self, host, kept, server, *secrets) -> None:
        """By the host alone, with nothing wrong about it; and neither key nor what fetched it can be seen on the host."""
        self.assertEqual(kept.objections, [])
        self.assertEqual({(request.peer, reply.status) for request, reply in server.seen} - {(host.address, 403)}, {(host.address, 200)})
        self.assertNotToBeSeen(host, self.key, *secrets)

    def test_the_signature_is_that_of_the_documentation(self):
        """get-vanilla of AWS's own test suite: what the store below goes by."""
        headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}
        request = Request("GET", "/", headers, b"", "")
        said = sigv4.signature_of(request, sorted(headers), "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", headers["x-amz-date"],
                                  "us-east-1", "service")
        self.assertEqual(said, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")

    def test_ec2_token(self):
        token = self.mint()
        host, metadata, server = self.on(Ec2, "Ec2", self.example("ec2-token", THE_ROLES_TOKEN=token))
        self.assertJoined(host, "DataSourceEc2Local")
        self.assertNotToBeSeen(host, token, *metadata.secrets())
        self.assertModes(host, token=0o400)
        # A later boot finds all as it was.
        self.assertEqual(host.status()["verified"]["by"], "local")
        host.power_off()
        self.assertJoined(host, "DataSourceEc2Local")
        # It was asked for a session first, and answered nothing without one.
        self.assertEqual((server.seen[0][0].method, {reply.status for _, reply in server.seen} - {200, 404}), ("PUT", set()))

    def test_ec2_credential(self):
        host, metadata, _ = self.on(Ec2, "Ec2", self.example("ec2-credential"))
        kept, server = self.keep(host, "api-key-from-ec2", SecretsManager, metadata, "ece/enroll-api-key")
        self.assertJoined(host, "DataSourceEc2Local")
        self.assertFetched(host, kept, server, *metadata.secrets())
        self.assertModes(host, api_key_from_ec2=0o755)

    def test_gce_token(self):
        token = self.mint()
        host, metadata, server = self.on(Gce, "GCE", self.example("gce-token", THE_ROLES_TOKEN=token))
        self.assertJoined(host, "DataSourceGCELocal")
        # There cloud-init itself tells everybody all attributes of the instance; the metadata server does so, too.
        self.assertNotToBeSeen(host, token, besides=("/run/cloud-init/instance-data.json",))
        self.assertNotToBeSeen(host, *metadata.secrets())
        self.assertModes(host, token=0o400)
        self.assertNotIn(403, {reply.status for _, reply in server.seen})

    def test_gce_credential(self):
        host, metadata, _ = self.on(Gce, "GCE", self.example("gce-credential"))
        kept, server = self.keep(host, "api-key-from-gce", SecretManager, metadata, "ece-enroll-api-key")
        kept.not_yet = 2
        self.assertJoined(host, "DataSourceGCELocal")
        self.assertFetched(host, kept, server, *metadata.secrets())
        self.assertModes(host, api_key_from_gce=0o755)
        # A role that is granted while a host boots takes its time; the agent asks again.
        self.assertEqual([reply.status for _, reply in server.seen][:3], [403, 403, 200])

    def test_openstack_token(self):
        token = self.mint()
        host, _, _ = self.on(OpenStack, "OpenStack", self.example("openstack-token", THE_ROLES_TOKEN=token))
        self.assertJoined(host, "DataSourceOpenStackLocal")
        self.assertNotToBeSeen(host, token)
        self.assertModes(host, token=0o400)

    def test_openstack_token_on_a_config_drive(self):
        """The drive's tree in the seed directory; no service is there, and none is asked."""
        token = self.mint()
        host = self.image("ConfigDrive")
        seed = "var/lib/cloud/seed/config_drive/openstack/latest/"
        for name, text in OpenStack.documents(self.example("openstack-token", THE_ROLES_TOKEN=token), host).items():
            host.write(seed + name, text, 0o600)
        self.assertJoined(host, "DataSourceConfigDrive")
        self.assertNotToBeSeen(host, token)
        self.assertModes(host, token=0o400)

    def test_openstack_credential(self):
        host, _, _ = self.on(OpenStack, "OpenStack", self.example("openstack-credential"))
        host.write("etc/credstore/ece-api-key", self.key, 0o600)
        self.assertJoined(host, "DataSourceOpenStackLocal")
        self.assertNotToBeSeen(host, self.key)

    def test_azure_token(self):
        """As custom data, of which the metadata service shows nothing."""
        token = self.mint()
        host, metadata, _ = self.on(Azure, "Azure", None)
        wireserver = Wireserver()
        self.web((WIRESERVER, 80), wireserver)
        host.write("var/lib/cloud/seed/azure/ovf-env.xml", custom_data(self.example("azure-token", THE_ROLES_TOKEN=token), host), 0o600)
        self.assertJoined(host, "DataSourceAzure")
        self.assertIn("<State>Ready</State>", "".join(wireserver.reports))
        self.assertNotToBeSeen(host, token, *metadata.secrets())
        self.assertModes(host, token=0o400)

    def test_azure_credential(self):
        """As user data, which holds no secret and may be seen."""
        host, metadata, _ = self.on(Azure, "Azure", self.example("azure-credential"))
        wireserver = Wireserver()
        self.web((WIRESERVER, 80), wireserver)
        kept, server = self.keep(host, "api-key-from-azure", KeyVault, metadata, "ece-enroll-api-key")
        self.assertJoined(host, "DataSourceAzure")
        self.assertIn("<State>Ready</State>", "".join(wireserver.reports))
        self.assertFetched(host, kept, server, *metadata.secrets())
        self.assertModes(host, api_key_from_azure=0o755)
