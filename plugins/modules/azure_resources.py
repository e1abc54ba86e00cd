#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_resources
short_description: Manage many resources of Azure at once
description:
  - Brings many resources to what the task says, each just as the module of its own does.
  - Each begins as soon as those that it needs are there, and waits for nothing else.
  - Where some fail, all others that do not need them are made all the same, and the message tells of each.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.fence
options:
  resources:
    description:
      - The resources, by keys of your own. Each holds the name of a module of this collection, with that module's
        options, and may hold C(after), the keys of what must be there before, C(after_begin), the keys of what must
        have been begun, and C(wait), for this one alone.
      - In place of any value, a dictionary with the one key C(of) and C(KEY.path) is what Azure says of another
        resource, such as C(outbound.properties.ipAddress); that one must be there before, too.
      - An option that is a secret cannot be named here, but the file that holds it.
    type: dict
    required: true
  only:
    description:
      - Keys of those that are meant, with all that they need. All if left out.
    type: list
    elements: str
  resource_group:
    description:
      - Resource group of all that name none. The deployment's, if left out where a run has begun.
    type: str
  location:
    description:
      - Region of all that name none. The deployment's, if left out where a run has begun.
    type: str
  tags:
    description:
      - Tags of all that name none. The deployment's, if left out where a run has begun.
    type: dict
  wait:
    description:
      - Whether to wait until Azure is done. If not, what can begin is begun, and RV(done) says what needs no
        waiting for; the same task later waits for what was begun.
    type: bool
    default: true
  timeout:
    description:
      - How many seconds to wait at most.
    type: int
    default: 3600
seealso:
  - module: matcha.mlops.aks_cluster
  - module: matcha.mlops.mysql_flexible_server
  - module: matcha.mlops.role_assignment
  - module: matcha.mlops.storage_account
"""

EXAMPLES = r"""
- name: Make a cluster with an address of its own, and a registry from which it pulls
  matcha.mlops.azure_resources:
    resource_group: matcha-resources
    location: westeurope
    resources:
      outbound:
        public_ip_address:
          name: matcha-outbound
      cluster:
        aks_cluster:
          name: matcha-k8s
          agent_pool_profiles:
            - {name: system, mode: System}
          network_profile:
            load_balancer_profile:
              outbound_ips: [{of: outbound.id}]
      registry:
        container_registry:
          name: crmatcha
      pull:
        role_assignment:
          scope: {of: registry.id}
          role_definition: AcrPull
          principal_id: {of: cluster.properties.identityProfile.kubeletidentity.objectId}
          principal_type: ServicePrincipal
"""

RETURN = r"""
resources:
  description: The resources as Azure answers them, by their keys; without secrets. Null where there is none.
  returned: always
  type: dict
ids:
  description: Ids of the resources, whether they are there or not; role assignments are left out.
  returned: always
  type: dict
plan:
  description: What was, or would be, done to each - V(created), V(changed), V(unchanged), or V(later).
  returned: always
  type: dict
  sample: {outbound: unchanged, cluster: created}
done:
  description: Keys of those of which nothing is left to do or to wait for.
  returned: always
  type: list
  elements: str
tenant_id:
  description: Tenant of who signs in.
  returned: always
  type: str
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.auth import AUTH_SPEC
from ..module_utils.azure.graph_run import SPEC, run
from ..module_utils.module import run_module


def main() -> None:
    run_module({**AUTH_SPEC, **SPEC}, run)


if __name__ == "__main__":
    main()
