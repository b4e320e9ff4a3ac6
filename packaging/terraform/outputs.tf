# SPDX-License-Identifier: Apache-2.0

output "user_data" {
  description = "Cloud-config, in the clear; some resources want it as base64."
  value       = local.user_data
  sensitive   = true

  precondition {
    condition     = local.by_token != (var.token_command != null)
    error_message = "Exactly one of token and token_command."
  }
  precondition {
    condition     = var.package_url == "" || can(regex("^https://[^ ']*\\.(deb|rpm)$", var.package_url)) && can(regex("^[0-9a-f]{64}$", var.package_sha256))
    error_message = "A package_url is https and ends in .deb or .rpm, and package_sha256 goes with it."
  }
}
