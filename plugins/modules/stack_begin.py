#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_begin
short_description: Lock and guard a deployment, and begin to work on it
description:
  - Takes the lock of a deployment, asserts that its stack is not changed, and looks for what would make the work fail,
    before anything is touched.
  - Records the deployment, with its ports, before anything of it is made.
  - Can be called again within one run. The lock is freed by M(matcha.mlops.stack_end), or when the run's controller
    ends in whatever way.
  - In check mode nothing is locked.
  - C(--tags) and C(--skip-tags) with names of components select those that are meant; they never skip this.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.place
options:
  stack:
    description:
      - Stack that is asked for.
      - An empty value means the recorded one, or V(default) where nothing is deployed.
    type: str
    default: ''
  stacks:
    description:
      - Every stack, each with the list of its components.
    type: dict
    required: true
  components:
    description:
      - Every component that exists.
    type: list
    elements: str
    required: true
  ports:
    description:
      - Names of the ports of each component, each with the port that is asked for.
      - An empty port means the recorded one, or one that is free.
    type: dict
    default: {}
  python:
    description:
      - Interpreter for the components' environments.
      - An empty value means the one that runs Ansible.
    type: str
    default: ''
  rotate:
    description:
      - Components whose password is to be rotated.
    type: list
    elements: str
    default: []
  passwords:
    description:
      - Components that have a password.
    type: list
    elements: str
    default: []
  purpose:
    description:
      - What the lock is taken for, in the words of those who are told.
    type: str
    required: true
  missing:
    description:
      - What to do where there is no deployment.
      - V(create) records a new one, V(fail) fails, V(ignore) goes on, for something that ends with no deployment.
    type: str
    choices: [create, fail, ignore]
    default: create
  lock_timeout:
    description:
      - How many seconds to wait for the lock.
      - An empty value means not to wait.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Lock and guard
  matcha.mlops.stack_begin:
    target: local
    stack: llm
    stacks:
      llm: [zenml, mlflow, chroma]
    components: [zenml, mlflow, chroma]
    purpose: provision
"""

RETURN = r"""
ansible_facts:
  description: Facts that the roles need.
  returned: success
  type: dict
  contains:
    matcha_deployment:
      description: The deployment and the run.
      type: dict
      sample:
        exists: true
        path: /srv/mlops/matcha
        run: 0a1b2c
        target: local
        prefix: matcha
        home: /srv/mlops
        python: /usr/bin/python3.11
        stack: llm
        components: [zenml, mlflow, chroma]
        selected: [zenml]
        ports: {zenml: {http: 20231}}
        environments: {zenml: /srv/mlops/matcha/environments/zenml-0.98.0-0a1b2c3d}
"""
