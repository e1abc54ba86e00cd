#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: public_ip_address
short_description: Manage a public IP address
description:
  - Creates, changes or deletes a public IP address. A new one is a static IPv4 address.
  - Made before a cluster and given to it as its outbound address
    (O(matcha.mlops.aks_cluster#module:network_profile.load_balancer_profile.outbound_ips)), it is known before the
    cluster, so that the firewall of a database can name it.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.azure.state
  - matcha.mlops.azure.tags
  - matcha.mlops.fence
options:
  resource_group:
    description:
      - Resource group of the address.
    type: str
    required: true
  name:
    description:
      - Name of the address.
    type: str
    required: true
  location:
    description:
      - Region. Needed for a new address. Immutable.
    type: str
  sku:
    description:
      - Kind of the address. Immutable.
    type: dict
    suboptions:
      name:
        description:
          - V(Standard) in a new address if left out. Azure makes no new V(Basic) ones any more.
        type: str
        choices: [Standard, StandardV2, Basic]
      tier:
        description:
          - V(Regional) in a new address if left out.
        type: str
        choices: [Regional, Global]
  zones:
    description:
      - Availability zones, such as C('1'). Immutable.
    type: list
    elements: str
  public_ip_allocation_method:
    description:
      - Whether the address stays the same. V(Static) in a new address if left out.
    type: str
    choices: [Static, Dynamic]
  public_ip_address_version:
    description:
      - V(IPv4) in a new address if left out. Immutable.
    type: str
    choices: [IPv4, IPv6]
  idle_timeout_in_minutes:
    description:
      - How long an idle connection is kept, from 4 to 30 minutes. 4 in a new address if left out.
    type: int
  dns_settings:
    description:
      - Name of the address in DNS.
    type: dict
    suboptions:
      domain_name_label:
        description:
          - First part of the name, as in C(LABEL.REGION.cloudapp.azure.com).
        type: str
      domain_name_label_scope:
        description:
          - Who may take the label again after the address was deleted. Immutable.
        type: str
        choices: [TenantReuse, SubscriptionReuse, ResourceGroupReuse, NoReuse]
      reverse_fqdn:
        description:
          - Name to which the address resolves.
        type: str
  ip_tags:
    description:
      - Tags of the address itself, which say from which of Azure's ranges it comes. Immutable.
    type: list
    elements: dict
    suboptions:
      ip_tag_type:
        description:
          - Type, such as C(RoutingPreference).
        type: str
      tag:
        description:
          - Value, such as C(Internet).
        type: str
  ddos_settings:
    description:
      - Protection against denial of service.
    type: dict
    suboptions:
      protection_mode:
        description:
          - V(VirtualNetworkInherited) in a new address if left out.
        type: str
        choices: [Disabled, Enabled, VirtualNetworkInherited]
      ddos_protection_plan:
        description:
          - Id of the plan.
        type: str
  public_ip_prefix:
    description:
      - Id of the prefix from which the address comes. Immutable.
    type: str
seealso:
  - module: matcha.mlops.public_ip_address_info
  - module: matcha.mlops.aks_cluster
"""

EXAMPLES = r"""
- name: Make an address
  matcha.mlops.public_ip_address:
    resource_group: matcha-resources
    name: matcha-outbound
    location: westeurope
  register: outbound

- name: Show it
  ansible.builtin.debug:
    var: outbound.resource.properties.ipAddress
"""

RETURN = r"""
resource:
  description:
    - The address as Azure answers it, in Azure's spelling. C(properties.ipAddress) is the address itself.
  returned: if the resource is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.public_ip import PublicIpAddress
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(PublicIpAddress())


if __name__ == "__main__":
    main()
