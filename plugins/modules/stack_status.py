#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_status
short_description: Say how a deployment is
description:
  - Prints who holds the lock, and for each component what is recorded, whether it runs, whether it is healthy to a
    client's eye, and what has drifted since the last provision.
  - Takes no lock and changes nothing.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.place
  - matcha.mlops.place.cluster
  - matcha.mlops.azure
options:
  format:
    description:
      - V(text), V(json) or V(yaml). V(text) if empty.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Look at the deployment
  matcha.mlops.stack_status:
    target: local
"""

RETURN = r"""
status:
  description: The status.
  returned: success
  type: dict
  contains:
    lock:
      description: Who holds the lock, V(null) if nobody.
      type: str
    healthy:
      description: Whether every component works.
      type: bool
    drift:
      description: Whether anything was changed by hand.
      type: bool
    components:
      description:
        - For each component V(recorded), V(version), V(ports), V(running), V(healthy), V(complaint) and V(drift).
      type: dict
"""
