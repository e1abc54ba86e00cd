#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_forget
short_description: Record that a deployment on Azure is being destroyed, and forget it
description:
  - A destroy calls this three times at most. O(state=begun) records that it is under way, so that nothing but another
    destroy begins on what is left. O(state=kept) says that it is over and that data was kept, or O(state=absent)
    removes the last of it, where the state and the lock are.
  - O(state=absent) comes last. It frees the lock first, since the lock goes with the account that it is in. Nobody else
    begins in between, but for another destroy.
  - The state of a local deployment is removed by M(matcha.mlops.local_deployment).
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
options:
  state:
    description:
      - V(begun) records that the deployment is being destroyed.
      - V(kept) records that it is not any more, and that nothing is deployed but data; its identity, its stack and what
        O(components) name stay recorded.
      - V(absent) removes the state's account, or with O(resource_group) the whole resource group.
    type: str
    choices: [begun, kept, absent]
    required: true
  resource_group:
    description:
      - Whether to remove the resource group with all that is in it, which must be nothing but the deployment's.
      - A group that was there before its deployment stays in any case.
    type: bool
    default: false
  components:
    description:
      - With O(state=kept), what of each component stays recorded, by the names of options of
        M(matcha.mlops.stack_record). The version says which one the data is of. What is left out is forgotten.
    type: list
    elements: str
    default: [version, configuration]
  resources:
    description:
      - With O(state=kept), the ids of the resources that are left.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: From now on only a destroy may go on
  matcha.mlops.stack_forget:
    state: begun

- name: Remove the last of it
  matcha.mlops.stack_forget:
    state: absent
    resource_group: true
"""

RETURN = r""" # """
