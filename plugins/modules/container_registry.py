#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: container_registry
short_description: Manage a container registry
description:
  - Creates, changes or deletes a container registry.
  - A cluster pulls from it by a role - give the kubelet's identity C(AcrPull) on the registry with
    M(matcha.mlops.role_assignment).
  - Passwords of the registry are never in the result.
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
      - Resource group of the registry.
    type: str
    required: true
  name:
    description:
      - Name of the registry, of 5 to 50 letters and digits. It is unique in all of Azure.
    type: str
    required: true
  location:
    description:
      - Region. Needed for a new registry. Immutable.
    type: str
  sku:
    description:
      - Price tier.
    type: dict
    suboptions:
      name:
        description:
          - V(Standard) in a new registry if left out. Much needs V(Premium) - networks, zones, policies, keys of your
            own.
        type: str
        choices: [Basic, Standard, Premium]
        required: true
  identity:
    description:
      - Identity of the resource itself.
    type: dict
    suboptions:
      type:
        description:
          - Who makes and keeps it.
        type: str
        choices: [None, SystemAssigned, UserAssigned, 'SystemAssigned, UserAssigned']
      user_assigned_identities:
        description:
          - Ids of the identities, for a type with V(UserAssigned); all of them.
        type: list
        elements: str
  admin_user_enabled:
    description:
      - Whether there is a user with a password. False in a new registry if left out, so that access takes a role.
    type: bool
  anonymous_pull_enabled:
    description:
      - Whether everybody may pull, without signing in.
    type: bool
  data_endpoint_enabled:
    description:
      - Whether layers come from an address of the registry's own, for firewalls.
    type: bool
  public_network_access:
    description:
      - Whether the registry's public address answers at all, within O(network_rule_set).
    type: str
    choices: [Enabled, Disabled]
  network_rule_set:
    description:
      - Who may connect to the public address.
    type: dict
    suboptions:
      default_action:
        description:
          - What happens to everybody else. V(Deny) where there were no rules before, if left out.
        type: str
        choices: [Allow, Deny]
      ip_rules:
        description:
          - Addresses and ranges in the internet that may connect; all of them.
        type: list
        elements: str
  network_rule_bypass_options:
    description:
      - Whether trusted services of Azure are let through anyway.
    type: str
    choices: [AzureServices, None]
  network_rule_bypass_allowed_for_tasks:
    description:
      - Whether tasks of the registry are let through too.
    type: bool
  zone_redundancy:
    description:
      - Whether images are kept in several zones. Immutable.
    type: str
    choices: [Enabled, Disabled]
  role_assignment_mode:
    description:
      - Whether roles can be granted for single repositories. With V(AbacRepositoryPermissions) nodes need C(Container
        Registry Repository Reader) in place of C(AcrPull).
    type: str
    choices: [LegacyRegistryPermissions, AbacRepositoryPermissions]
  policies:
    description:
      - Policies.
    type: dict
    suboptions:
      quarantine_policy:
        description:
          - Images that wait to be released.
        type: dict
        suboptions:
          status:
            description:
              - Whether they do.
            type: str
            choices: [enabled, disabled]
      trust_policy:
        description:
          - Signed images.
        type: dict
        suboptions:
          status:
            description:
              - Whether images can be signed.
            type: str
            choices: [enabled, disabled]
          type:
            description:
              - How.
            type: str
            choices: [Notary]
      retention_policy:
        description:
          - Manifests without a tag.
        type: dict
        suboptions:
          status:
            description:
              - Whether they are removed.
            type: str
            choices: [enabled, disabled]
          days:
            description:
              - After how many days, from 0 to 365.
            type: int
      export_policy:
        description:
          - Images that leave the registry.
        type: dict
        suboptions:
          status:
            description:
              - Whether they may. V(disabled) needs O(public_network_access=Disabled).
            type: str
            choices: [enabled, disabled]
      azure_ad_authentication_as_arm_policy:
        description:
          - Tokens for Azure Resource Manager.
        type: dict
        suboptions:
          status:
            description:
              - Whether they are taken.
            type: str
            choices: [enabled, disabled]
  encryption:
    description:
      - Encryption with a key of your own.
    type: dict
    suboptions:
      status:
        description:
          - Whether there is such a key. Immutable.
        type: str
        choices: [enabled, disabled]
      key_vault_properties:
        description:
          - The key.
        type: dict
        suboptions:
          key_identifier:
            description:
              - Address of the key in its vault.
            type: str
          identity:
            description:
              - Client id of the identity that reads it.
            type: str
seealso:
  - module: matcha.mlops.container_registry_info
  - module: matcha.mlops.role_assignment
"""

EXAMPLES = r"""
- name: Make a registry
  matcha.mlops.container_registry:
    resource_group: matcha-resources
    name: matcharegistry
    location: westeurope
    sku:
      name: Basic
"""

RETURN = r"""
resource:
  description:
    - The registry as Azure answers it, in Azure's spelling. C(properties.loginServer) is its address.
  returned: if the resource is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.registry import ContainerRegistry
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(ContainerRegistry())


if __name__ == "__main__":
    main()
