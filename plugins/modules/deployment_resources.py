#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_resources
short_description: Tell of all resources of a deployment, and remove them
description:
  - Lists everything that lies in a deployment's resource group or carries its tag, and says of each whether it is the
    deployment's own.
  - Its own are those that carry its tag, and are recorded in O(inventory) or lie in a group that the deployment made.
    All else is somebody else's, and is never touched.
  - O(state=absent) removes its own, and with them the role assignments of its identities at any scope. It lists again
    at the end, and fails if something is left.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.fence
options:
  state:
    description:
      - V(present) changes nothing. V(absent) removes what is the deployment's own.
    type: str
    choices: [present, absent]
    default: present
  resource_group:
    description:
      - Resource group of the deployment. That of C(matcha_deployment), if left out where a run has begun.
    type: str
  resource_group_created:
    description:
      - Whether the deployment made that group. As C(matcha_deployment) says, if left out where a run has begun.
    type: bool
    default: false
  deployment_tag:
    description:
      - The one tag, and its value, that resources of the deployment carry. That of C(matcha_deployment), if left out
        where a run has begun.
    type: dict
  inventory:
    description:
      - Ids of the resources that were recorded. Those of C(matcha_deployment), if left out where a run has begun.
    type: list
    elements: str
    default: []
  keep:
    description:
      - Types, or ids, of own resources that are not removed.
    type: list
    elements: str
    default: []
  purge:
    description:
      - Whether key vaults are purged too, so that nothing in them can be recovered.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds to wait at most.
    type: int
    default: 3600
"""

EXAMPLES = r"""
- name: See what a destroy would remove
  matcha.mlops.deployment_resources:
    resource_group: matcha-resources
    resource_group_created: true
    deployment_tag:
      matcha-deployment: 5f2b1f0e-5a52-4a6c-8b4e-3f0a6f1a7c11
  register: found
"""

RETURN = r"""
own:
  description: Ids of the deployment's own resources that are, or would be, removed.
  returned: success
  type: list
  elements: str
kept:
  description: Ids of its own that are kept.
  returned: success
  type: list
  elements: str
foreign:
  description: Ids of all others in the group or with the tag; they stay.
  returned: success
  type: list
  elements: str
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.azure.arm import Arm
from ..module_utils.azure.auth import AUTH_SPEC, Auth
from ..module_utils.azure.module import fence_of
from ..module_utils.azure.removal import look, remove
from ..module_utils.errors import MatchaError
from ..module_utils.module import run_module


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Look, and remove if that is asked for."""
    if not params["resource_group"] or len(params["deployment_tag"] or {}) != 1:
        raise MatchaError("Set resource_group, and deployment_tag to the one tag that says whose a resource is.")
    arm = Arm(Auth.of(params), params["timeout"], fence_of(params))
    found = look(arm, params)
    removes = params["state"] == "absent" and bool(found.own)
    if removes and not check_mode:
        remove(arm, params, found)
        left = look(arm, params).own
        if left:
            raise MatchaError(f"Still there: {', '.join(str(each['id']) for each in left)}. Run this again.")
    result = found.result()
    after = {"own": [] if removes else result["own"], "kept": result["kept"], "foreign": result["foreign"]}
    return {"changed": removes, "diff": {"before": result, "after": after}, **result, "warnings": arm.warnings}


def main() -> None:
    texts = {"type": "list", "elements": "str", "default": []}
    spec = {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "resource_group": {"type": "str"},
        "resource_group_created": {"type": "bool", "default": False},
        "deployment_tag": {"type": "dict"},
        "inventory": texts,
        "keep": {**texts, "no_log": False},
        "purge": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 3600},
    }
    run_module({**AUTH_SPEC, **spec}, run)


if __name__ == "__main__":
    main()
