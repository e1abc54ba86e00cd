#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_end
short_description: End the work on a deployment
description:
  - Frees the lock that M(matcha.mlops.stack_begin) took. With it go the copies of secrets that a run on Azure has had
    on this machine; they go too where the run ends in another way.
  - With O(fact) it fails unless every component of the stack was done in this run, and says which were.
    With tags that are names of components, only those count.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
options:
  fact:
    description:
      - Fact of the host of each component, C(matcha-NAME), whose C(run) is the run's token once the component is done.
        It may hold the C(steps) that were done.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Say how each component fared, and free the lock
  matcha.mlops.stack_end:
    fact: matcha_recorded
"""

RETURN = r"""
components:
  description: For each component that was to be done, the steps that it reported, with the seconds they took.
  returned: success
  type: dict
  sample:
    chroma: [{name: add vectors, seconds: 0.1}]
"""
