# SPDX-License-Identifier: Apache-2.0
"""What a host of a cloud finds around it: a metadata service, a DHCP server, a store of secrets, a repository of packages.

Written from the clouds' own documentation, which each part names. They run in threads of the process that tests, on addresses
of the bed's wire, and remember what they were asked.
"""
