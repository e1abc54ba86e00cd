#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_outputs
short_description: Show the outputs of a deployment
description:
  - Prints addresses, names and, if asked for, secrets of a deployment, or writes them into a file.
  - Takes no lock. The task's result never holds a secret.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.place
  - matcha.mlops.azure
options:
  resource:
    description:
      - Only this resource. All if empty.
    type: str
    default: ''
  property:
    description:
      - Only this property of the resource. All if empty.
    type: str
    default: ''
  format:
    description:
      - V(text), V(json) or V(yaml). V(text) if empty.
    type: str
    default: ''
  query:
    description:
      - JMESPath expression for what is selected.
    type: str
    default: ''
  show_sensitive:
    description:
      - V(true) shows secrets. They are masked otherwise.
    type: str
    default: ''
  output_file:
    description:
      - File to write to, in place of the terminal. Its mode is V(0600).
    type: str
    default: ''
  quiet:
    description:
      - Print and write nothing; only return the masked outputs.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show where MLflow is
  matcha.mlops.stack_outputs:
    target: local
    resource: experiment-tracker
    property: tracking-url
"""

RETURN = r"""
outputs:
  description: What was selected, with secrets masked.
  returned: success
  type: raw
  sample: http://127.0.0.1:20231
"""
