#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_record
short_description: Record a component in a deployment's state
description:
  - Writes what a role has made into the state, removes environments of the component that are not used any more, and
    says that the component is done in this run.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
options:
  component:
    description:
      - Name of the component.
    type: str
    required: true
  version:
    description:
      - Version of the component.
    type: str
    default: ''
  outputs:
    description:
      - What the component adds to the outputs, by resource, with its C(flavor) and C(properties).
      - In place of a secret stands a dictionary with C(secret), its name, alone, or with C(connection_string), the
        name of a storage account of the deployment, alone.
    type: dict
    default: {}
  environment:
    description:
      - Folder of its Python environment, on the target V(local).
    type: str
    default: ''
  package:
    description:
      - Package in it whose version is the component's.
    type: str
    default: ''
  configuration:
    description:
      - What else is to be known of it later, such as the SHA-256 of each file of its configuration on the target
        V(local).
    type: dict
    default: {}
  health_url:
    description:
      - Address that answers with success while its server can be used. Empty if it has none.
    type: str
    default: ''
  resources:
    description:
      - Ids of resources of Azure that were made. They are added to the deployment's inventory.
      - With nothing else than these, only they are recorded, and the component is not yet done.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Record DVC
  matcha.mlops.stack_record:
    component: dvc
    version: 3.67.1
    package: dvc
    environment: /srv/mlops/environments/dvc
    outputs:
      data-version-control:
        flavor: dvc
        properties:
          remote-url: /srv/mlops/data/dvc

- name: Record what was made on Azure
  matcha.mlops.stack_record:
    component: platform
    resources: ["{{ cluster.resource.id }}"]
"""

RETURN = r"""
ansible_facts:
  description: Facts for M(matcha.mlops.stack_end).
  returned: success
  type: dict
  contains:
    matcha_recorded:
      description: Token of the run in which the component was recorded.
      type: dict
      sample:
        run: 0a1b2c
"""
