#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_port_forward
short_description: Keep ports of this machine open that lead into a Kubernetes cluster
description:
  - Opens ports on 127.0.0.1, each of which leads to a Service of a cluster, through its API server and with its
    authentication, as C(kubectl port-forward) does.
  - A process of its own keeps them after the task has ended. When a pod is replaced, the next connection leads to the
    new one; when the kubeconfig is replaced, the new credential is used.
  - The ports are kept in the folder, so that they are the same the next time.
  - It runs where Ansible runs.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.kubernetes
options:
  state:
    description:
      - V(absent) ends the process that keeps the ports.
    type: str
    choices: [present, absent]
    default: present
  folder:
    description:
      - Folder for what is known of the process; one process for each folder. It is made if it is not there.
    type: path
    required: true
  forwards:
    description:
      - What to open, by a name of one's own. Each has C(namespace), C(service) and C(port).
      - A C(local_port) is the port to open; left out, it is a free one, kept for the next time.
    type: dict
    default: {}
notes:
  - A process keeps no lock, and a folder that is removed ends it.
"""

EXAMPLES = r"""
- name: Open MLflow
  matcha.mlops.kubernetes_port_forward:
    kubeconfig: ~/.kube/config
    folder: ~/.local/share/tea
    forwards:
      mlflow: {namespace: mlflow, service: mlflow, port: 80}
"""

RETURN = r"""
forwards:
  description: The open ports, by name.
  returned: success
  type: dict
  sample:
    mlflow: {url: "http://127.0.0.1:20231", port: 20231}
"""
