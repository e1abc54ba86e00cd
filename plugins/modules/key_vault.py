#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: key_vault
short_description: Manage a key vault
description:
  - Creates, changes, recovers, deletes or purges a key vault.
  - What the task does not name is left as it is. Access policies are not managed - a new vault uses roles.
  - A deleted vault keeps its name until its retention is over. If a vault of the name was deleted in the same resource
    group, it is recovered, with what was in it, and then made what the task says.
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
      - Resource group of the vault.
    type: str
    required: true
  name:
    description:
      - Name of the vault, 3 to 24 letters, digits and hyphens, unique in all of Azure.
    type: str
    required: true
  location:
    description:
      - Region. Needed for a new one. Immutable.
    type: str
  sku:
    description:
      - V(premium) keeps keys in hardware. A new vault is V(standard) if left out.
    type: str
    choices: [standard, premium]
  vault_tenant:
    description:
      - Id of the tenant whose users the vault knows. The subscription's tenant if left out.
    type: str
  enable_rbac_authorization:
    description:
      - Whether roles say who may use what is in the vault, in place of access policies. True for a new vault if left
        out.
    type: bool
  enable_purge_protection:
    description:
      - Whether nobody can purge the vault, or a secret in it, before its retention is over. Once true it stays true.
    type: bool
  soft_delete_retention_in_days:
    description:
      - For how many days what is deleted can be recovered, 7 to 90. Azure's own default is 90. Immutable.
    type: int
  enabled_for_deployment:
    description:
      - Whether virtual machines can fetch certificates.
    type: bool
  enabled_for_disk_encryption:
    description:
      - Whether disk encryption can fetch keys.
    type: bool
  enabled_for_template_deployment:
    description:
      - Whether deployments of templates can fetch secrets.
    type: bool
  public_network_access:
    description:
      - Whether the vault has a public endpoint. V(Disabled) locks out everybody without a private endpoint, whatever
        O(network_acls) says.
    type: str
    choices: [Enabled, Disabled, SecuredByPerimeter]
  network_acls:
    description:
      - Who can reach the public endpoint.
    type: dict
    suboptions:
      default_action:
        description:
          - What happens to those whom no rule names.
        type: str
        choices: [Allow, Deny]
      bypass:
        description:
          - V(AzureServices) lets Azure's own services in.
        type: str
        choices: [AzureServices, None]
      ip_rules:
        description:
          - Addresses and networks that can reach it; all of them. An empty list removes all.
        type: list
        elements: str
      virtual_network_rules:
        description:
          - Subnets that can reach it; all of them. An empty list removes all.
        type: list
        elements: dict
        suboptions:
          id:
            description:
              - Id of the subnet.
            type: str
            required: true
          ignore_missing_vnet_service_endpoint:
            description:
              - Whether the subnet needs no service endpoint for key vaults.
            type: bool
  recover:
    description:
      - Whether a deleted vault of that name is recovered. If not, the module fails where there is one.
    type: bool
    default: true
  purge:
    description:
      - With O(state=absent), whether the vault is purged too, also if it was deleted before. What was in it is lost,
        and its name is free.
      - Azure refuses that under purge protection, and so does the module, before it deletes anything.
    type: bool
    default: false
seealso:
  - module: matcha.mlops.key_vault_secret
  - module: matcha.mlops.key_vault_info
"""

EXAMPLES = r"""
- name: Make a vault
  matcha.mlops.key_vault:
    resource_group: matcha-resources
    name: matcha-secrets
    location: westeurope
    soft_delete_retention_in_days: 7

- name: Remove it for good
  matcha.mlops.key_vault:
    resource_group: matcha-resources
    name: matcha-secrets
    state: absent
    purge: true
"""

RETURN = r"""
resource:
  description:
    - The vault as Azure answers it, in Azure's spelling.
    - C(properties.vaultUri) is its address.
  returned: if it is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.key_vault import KeyVault
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(KeyVault())


if __name__ == "__main__":
    main()
