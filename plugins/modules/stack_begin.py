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
  - On Azure the state is a private blob in an account of the deployment's resource group, and the lock is a lease on
    it. Both are made first, and the right to them is granted to who signs in. Where the state is lost, the group's tags
    still say which deployment and stack it is, and the state is made anew from them.
  - C(--tags) and C(--skip-tags) with names of components select those that are meant; they never skip this.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.place
  - matcha.mlops.azure
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
      - Names of the ports of each component, each with the port that is asked for, on the target V(local).
      - An empty port means the recorded one, or one that is free.
    type: dict
    default: {}
  python:
    description:
      - Interpreter for the components' environments, on the target V(local).
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
  location:
    description:
      - Azure region of the deployment. It must be set to make one.
      - An empty value means the recorded one.
    type: str
    default: ''
  tags:
    description:
      - Tags for everything that is made on Azure, beside the deployment's own.
    type: dict
    default: {}
  adopt:
    description:
      - V(true) makes the deployment in its resource group even if somebody else made that and has something in it.
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

- name: Lock and guard a deployment on Azure
  matcha.mlops.stack_begin:
    target: azure
    location: westeurope
    stacks:
      tracking: [mlflow]
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
      description:
        - The deployment and the run. On Azure there are also C(matcha_uuid), C(subscription_id), C(resource_group),
          C(resource_group_created), C(location), C(tags) and C(resources), and as they were when the run began
          C(versions) and C(recorded), the C(configuration) of each component.
        - In check mode on an empty subscription C(matcha_uuid) consists of zeros.
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
