# SPDX-License-Identifier: Apache-2.0
#
# One consumer of the user data: allocators in AWS, an autoscaling group for each zone of ECE.
#
# The token. Terraform's state keeps what goes into a launch template, whatever is marked as sensitive, and so does AWS: who may read one of
# the two can join with these roles until the token ends. So it is minted for this apply and ends after an hour, and nobody has to
# take it back. Keep the state as you keep passwords (https://developer.hashicorp.com/terraform/language/manage-sensitive-data).
#
# The consequence: a group made in this way is filled by `terraform apply`. An instance that the group starts by itself tomorrow finds a token
# that has ended, says so (token.given-expired in its status and journal) and does not join. For groups that grow by themselves give
# `token_command` in the place of `token`. Leaving is another matter: `ece-enroll leave` in a lifecycle hook, before the instance ends.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
    external = {
      source  = "hashicorp/external"
      version = ">= 2.3"
    }
  }
}

variable "subnets" {
  description = "{ECE's zone: subnet}"
  type        = map(string)
}

variable "hosts_per_zone" {
  type    = number
  default = 1
}

variable "image_id" {
  description = "An image that is prepared for ECE and carries Elastic's script."
  type        = string
}

variable "instance_type" {
  type    = string
  default = "r6i.4xlarge"
}

variable "security_group_ids" {
  type = list(string)
}

variable "coordinators" {
  type = list(string)
}

variable "ca_file" {
  type = string
}

variable "package_url" {
  type = string
}

variable "package_sha256" {
  type = string
}

variable "token" {
  description = "A token from elsewhere; without it one is minted here."
  type        = string
  default     = null
  sensitive   = true
}

# It runs at each plan, and mints each time: what is not used ends by itself. The launch template is new each time as well,
# which starts no instance and ends none. Who minds gives `token`, and this runs not at all.
data "external" "token" {
  count   = nonsensitive(var.token == null) ? 1 : 0
  program = ["${path.module}/../mint-token", "1h", "allocator"]
}

module "user_data" {
  source   = "../"
  for_each = var.subnets

  coordinators      = var.coordinators
  ca_pem            = file(var.ca_file)
  roles             = ["allocator"]
  availability_zone = each.key
  token             = var.token != null ? var.token : one(data.external.token[*].result.token)
  package_url       = var.package_url
  package_sha256    = var.package_sha256
}

resource "aws_launch_template" "ece" {
  for_each = var.subnets

  name_prefix            = "ece-allocator-"
  image_id               = var.image_id
  instance_type          = var.instance_type
  vpc_security_group_ids = var.security_group_ids
  user_data              = base64encode(module.user_data[each.key].user_data)

  # User data is read by whoever can speak to 169.254.169.254 from the instance; containers are one hop away.
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}

resource "aws_autoscaling_group" "ece" {
  for_each = var.subnets

  name_prefix         = "ece-allocator-"
  vpc_zone_identifier = [each.value]
  min_size            = var.hosts_per_zone
  max_size            = var.hosts_per_zone
  desired_capacity    = var.hosts_per_zone
  # A host that holds data is not to be ended because something else has more of them.
  protect_from_scale_in = true

  launch_template {
    id      = aws_launch_template.ece[each.key].id
    version = "$Latest"
  }

  tag {
    key                 = "Name"
    value               = "ece-allocator-${each.key}"
    propagate_at_launch = true
  }
}
