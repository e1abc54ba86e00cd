#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: user_assigned_identity
short_description: Manage a user-assigned identity
description:
  - Creates, changes or deletes a user-assigned managed identity, with the federated credentials that the task lists.
  - What the task does not name is left as it is, other federated credentials among them.
  - Azure takes one federated credential at a time for each identity, and at most 20. The module writes them one after
    another, waits while somebody else writes one, and fails before it writes anything if there would be more than 20.
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
      - Resource group of the identity.
    type: str
    required: true
  name:
    description:
      - Name of the identity.
    type: str
    required: true
  location:
    description:
      - Region. Needed for a new one. Immutable.
    type: str
  isolation_scope:
    description:
      - Whether the identity is confined to its region.
    type: str
    choices: [None, Regional]
  federated_credentials:
    description:
      - Tokens of other issuers that can be exchanged for one of this identity's. Those that the task does not list
        stay. Those to be removed are removed first.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the credential, 3 to 120 letters, digits, hyphens and underscores.
        type: str
        required: true
      issuer:
        description:
          - Address of the issuer, letter by letter as its tokens have it, such as
            C(properties.oidcIssuerProfile.issuerURL) of an AKS cluster. Needed unless
            O(federated_credentials[].state=absent).
        type: str
      subject:
        description:
          - Subject of the tokens, letter by letter, such as C(system:serviceaccount:NAMESPACE:NAME). Needed unless
            O(federated_credentials[].state=absent).
        type: str
      audiences:
        description:
          - Audience of the tokens. Azure takes exactly one. A new credential has C(api://AzureADTokenExchange) if left
            out.
        type: list
        elements: str
      state:
        description:
          - Whether the credential is to be there.
        type: str
        choices: [present, absent]
        default: present
seealso:
  - module: matcha.mlops.role_assignment
  - module: matcha.mlops.user_assigned_identity_info
"""

EXAMPLES = r"""
- name: Let a service account of a cluster sign in as an identity
  matcha.mlops.user_assigned_identity:
    resource_group: matcha-resources
    name: matcha-mlflow
    location: westeurope
    federated_credentials:
      - name: mlflow
        issuer: "{{ cluster.resource.properties.oidcIssuerProfile.issuerURL }}"
        subject: system:serviceaccount:mlflow:mlflow
"""

RETURN = r"""
resource:
  description:
    - The identity as Azure answers it, in Azure's spelling.
    - C(properties.principalId) is what M(matcha.mlops.role_assignment) wants, C(properties.clientId) what an
      application signs in with.
  returned: if it is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.identity import UserAssignedIdentity
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(UserAssignedIdentity())


if __name__ == "__main__":
    main()
