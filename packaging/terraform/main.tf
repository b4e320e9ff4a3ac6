# SPDX-License-Identifier: Apache-2.0
#
# User data for hosts that enroll themselves: renders cloud-config that installs the package and writes the spec, and nothing
# else. It needs no provider and makes no resource; aws-autoscaling/ shows who may use what it gives. The image
# brings what ECE wants of a host, and Elastic's script.

terraform {
  required_version = ">= 1.3"
}

locals {
  by_token = var.token != null

  spec = merge(
    {
      version      = 1
      coordinators = var.coordinators
      trust        = { ca_file = "/etc/ece-enroll/coordinator-ca.pem" }
      token        = { for key, value in { source = local.by_token ? "credential" : "command", name = local.by_token ? "ece-token" : null, argv = var.token_command } : key => value if value != null }
      # The host can't ask the platform, so the proof is what runs on it.
      verify = { by = "local" }
      host   = { roles = var.roles, availability_zone = var.availability_zone }
      installer = { for key, value in { script = var.installer_script, sha256 = var.installer_sha256 } :
        key => value if value != null
      }
    },
    var.spec,
  )

  # A JSON string is a YAML string as well, whatever is in it; so the template has no indentation to get wrong.
  user_data = templatefile("${path.module}/user-data.yaml.tftpl", {
    by_token       = local.by_token
    token          = jsonencode("${local.by_token ? var.token : ""}\n")
    ca             = jsonencode(var.ca_pem)
    spec           = jsonencode(yamlencode(local.spec))
    by_url         = var.package_url != ""
    by_name        = var.package_url == ""
    package_url    = var.package_url
    package_sha256 = var.package_sha256
    package_file   = "/var/cache/${basename(var.package_url)}"
    install        = endswith(var.package_url, ".rpm") ? "dnf install --assumeyes" : "apt-get install --yes --no-install-recommends"
  })
}
