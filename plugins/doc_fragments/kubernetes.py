# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules that talk to a cluster."""

    DOCUMENTATION = r"""
requirements:
  - kubernetes
  - openshift, for O(openshift=true)
options:
  kubeconfig:
    description:
      - Kubeconfig file of the cluster.
      - Left out, it is that of C(matcha_platform), which the role C(platform) sets, else C(~/.kube/config).
    type: path
  context:
    description:
      - Context in the kubeconfig. Left out, it is that of C(matcha_platform), or the current one of the file.
    type: str
  openshift:
    description:
      - Whether to use OpenShift's client in place of Kubernetes'.
      - Left out, it is as C(matcha_platform) says.
    type: bool
    default: false
"""
    # Objects that are made of files, and how to wait.
    OBJECTS = r"""
options:
  secrets:
    description:
      - Secrets whose values are in files on the managed host. The values are in no argument, result or difference.
      - The end of a line at the end of a file is not part of the value.
      - In check mode a file may be missing; the Secret is then compared with nothing.
    type: list
    elements: dict
    default: []
    suboptions: &files
      name:
        description: Name of the object.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
      labels:
        description: Its labels.
        type: dict
        default: {}
      files:
        description: Paths of files, by key.
        type: dict
        required: true
  config_maps:
    description:
      - ConfigMaps whose values are in files on the managed host.
    type: list
    elements: dict
    default: []
    suboptions: *files
  labels:
    description:
      - Labels for each of the objects, beside its own.
    type: dict
    default: {}
  wait_timeout:
    description:
      - How many seconds to wait at most.
    type: int
    default: 600
  progress_file:
    description:
      - File in which the module writes down what it waits for. Set by Ansible itself.
    type: path
"""
