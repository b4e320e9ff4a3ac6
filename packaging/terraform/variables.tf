# SPDX-License-Identifier: Apache-2.0

variable "coordinators" {
  description = "Coordinators of the installation, https://HOST:PORT."
  type        = list(string)
}

variable "ca_pem" {
  description = "The CA of their certificates, PEM."
  type        = string
}

variable "roles" {
  description = "Roles of the hosts: allocator, coordinator, director, proxy."
  type        = list(string)
  default     = ["allocator"]
}

variable "availability_zone" {
  description = "ECE's zone for them."
  type        = string
}

variable "token" {
  description = <<-EOT
    The roles token, minted just before: TF_VAR_token=$(ece-enroll token create --role allocator) terraform apply.
    `sensitive` keeps it out of what Terraform prints and out of nothing else: it is in the state, in plan files and in the
    user data of each instance, for whoever may read one of these. That is why it has to be one that ends by itself within
    an hour, and for these roles only, and why a credential that may mint tokens is not accepted here in its place.
    Instances that start later than that need token_command.
  EOT
  type        = string
  default     = null
  sensitive   = true
}

variable "token_command" {
  description = <<-EOT
    Instead: program and arguments that print a token on the host, when it is wanted. For groups that grow by themselves:
    something of yours mints a new token every so often into the cloud's store of secrets, and the instance's role may read it.
  EOT
  type        = list(string)
  default     = null
}

variable "installer_script" {
  description = "Where Elastic's script is in the image."
  type        = string
  default     = "/opt/ece/elastic-cloud-enterprise.sh"
}

variable "installer_sha256" {
  description = "Its SHA-256; null: any."
  type        = string
  default     = null
}

variable "package_url" {
  description = "A .deb or .rpm of ece-enroll, https. Empty: `ece-enroll`, from a repository that the image knows."
  type        = string
  default     = ""
}

variable "package_sha256" {
  description = "Its SHA-256."
  type        = string
  default     = ""
}

variable "spec" {
  description = "Further sections of the spec, and others in the place of those that are made here (enroll.yaml(5))."
  type        = any
  default     = {}
}
