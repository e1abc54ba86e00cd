#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_unlock
short_description: Take the lock of a deployment away
description:
  - Shows who holds the lock, and frees it. The lock of a run that is alive is only freed by force.
  - A lock frees itself when its run ends in whatever way, so this is for a run that hangs.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.place
  - matcha.mlops.azure
options:
  force:
    description:
      - V(true) takes the lock away from a run that is alive. Its next write fails.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Free the lock
  matcha.mlops.stack_unlock:
    target: local
"""

RETURN = r"""
holder:
  description: Who held the lock, V(null) if nobody.
  returned: success
  type: str
  sample: alice@laptop (process 4711) since 2026-11-24T12:00:00+00:00 for 'provision'
"""
