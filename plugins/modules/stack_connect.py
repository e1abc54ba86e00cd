#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_connect
short_description: Lead the clients of a user to a deployment
description:
  - Prints the environment variables with which clients find the servers of a deployment, and writes them with their
    secrets into a script that its owner alone can read.
  - Where a server has an address inside a cluster only, a port of this machine is opened that leads there; see
    M(matcha.mlops.kubernetes_port_forward). The ports stay open after the playbook. Running this again renews the token
    that they use.
  - Takes no lock. The task's result never holds a secret.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.place
  - matcha.mlops.place.cluster
  - matcha.mlops.azure
options:
  connect:
    description:
      - V(false) closes the ports. An empty value means V(true).
    type: str
    default: ''
  show_sensitive:
    description:
      - V(true) prints secrets. They are masked otherwise.
    type: str
    default: ''
seealso:
  - module: matcha.mlops.stack_outputs
  - module: matcha.mlops.kubernetes_port_forward
"""

EXAMPLES = r"""
- name: Connect my clients
  matcha.mlops.stack_connect:
    prefix: tea
"""

RETURN = r"""
environment:
  description: The variables, with secrets masked.
  returned: success
  type: dict
  sample:
    ZENML_STORE_URL: http://127.0.0.1:20231
    ZENML_STORE_API_KEY: "********"
"""
