#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: role_assignment
short_description: Manage a role assignment
description:
  - Gives a role at a scope to a principal, or takes it away.
  - An assignment is known by its role, principal and scope. One that is there under any name is the one that is meant.
  - A principal that was made a moment ago is not known everywhere yet, which Azure calls C(PrincipalNotFound). The
    module waits that out, for as long as O(timeout) says.
  - A right works minutes after it was granted; with data, such as blobs and secrets, up to ten.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.azure.state
  - matcha.mlops.fence
options:
  timeout:
    description:
      - How many seconds to wait at most, which is also how long a principal that does not exist is waited for.
    type: int
    default: 900
  scope:
    description:
      - Id of what the role is for - a resource, a resource group, a subscription or a management group.
    type: str
    required: true
  role_definition:
    description:
      - Name of the role as Azure writes it, such as C(AcrPull), or its id, whole or the last part.
      - A name is looked up at the scope, custom roles among them.
    type: str
    required: true
  principal_id:
    description:
      - Object id of the user, the group, the service principal or the managed identity.
      - Whoever this task signs in as, if left out.
    type: str
  principal_type:
    description:
      - What the principal is. Azure does not need to look for a new one where it is told. Managed identities are
        V(ServicePrincipal). Immutable.
    type: str
    choices: [User, Group, ServicePrincipal, ForeignGroup, Device]
  name:
    description:
      - Name of a new assignment, a GUID. The same role, principal and scope have the same name if left out.
    type: str
  description:
    description:
      - What the assignment is for.
    type: str
  condition:
    description:
      - Condition under which the role counts, in Azure's language for them.
    type: str
  condition_version:
    description:
      - Version of that language. V(2.0) with a condition if left out.
    type: str
    choices: ['1.0', '2.0']
  delegated_managed_identity_resource_id:
    description:
      - Id of the managed identity, where the assignment is made from another tenant. Immutable.
    type: str
seealso:
  - module: matcha.mlops.role_assignment_info
"""

EXAMPLES = r"""
- name: Let the nodes of a cluster pull images from a registry
  matcha.mlops.role_assignment:
    scope: "{{ registry.resource.id }}"
    role_definition: AcrPull
    principal_id: "{{ cluster.resource.properties.identityProfile.kubeletidentity.objectId }}"
    principal_type: ServicePrincipal
"""

RETURN = r"""
resource:
  description:
    - The assignment as Azure answers it, in Azure's spelling.
  returned: if it is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.role_assignment import RoleAssignment
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(RoleAssignment())


if __name__ == "__main__":
    main()
