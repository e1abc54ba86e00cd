#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_cluster_info
short_description: Tell what a Kubernetes cluster is
description:
  - Tells the version of a cluster, who signs its tokens, whether it is OpenShift, what enforces its NetworkPolicies,
    and which StorageClasses it has.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.kubernetes
seealso:
  - module: matcha.mlops.kubernetes_objects
"""

EXAMPLES = r"""
- name: Look at the cluster
  matcha.mlops.kubernetes_cluster_info:
    kubeconfig: ~/.kube/config
    context: tea
"""

RETURN = r"""
cluster:
  description: The cluster.
  returned: success
  type: dict
  contains:
    server:
      description: Address of its API server.
      type: str
    version:
      description: Version of Kubernetes.
      type: str
    issuer_url:
      description: Who signs the tokens of its service accounts; V(null) if one may not know.
      type: str
    openshift:
      description: Whether it is OpenShift.
      type: bool
    network_policy:
      description:
        - Whether NetworkPolicies are enforced, and by what, judged by the DaemonSets that are known to do it.
        - C(enforced) is V(null) if these may not be listed.
      type: dict
    storage_classes:
      description: Its StorageClasses - name, provisioner, reclaim policy, and whether it is the default.
      type: list
      elements: dict
    gateway_api:
      description: Whether it has the Gateway API.
      type: bool
    istio:
      description: Whether it has Istio's resources.
      type: bool
  sample:
    server: https://tea.example:443
    version: 1.36.3
    issuer_url: https://westeurope.oic.prod-aks.azure.com/0000/1111/
    openshift: false
    network_policy: {enforced: true, by: cilium}
    storage_classes: [{name: managed-csi, provisioner: disk.csi.azure.com, reclaim_policy: Delete, default: true}]
    gateway_api: false
    istio: false
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.kubernetes.about import about
from ..module_utils.kubernetes.module import ACCESS_SPEC, cluster_of
from ..module_utils.module import run_module


def run(params: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    return {"changed": False, "cluster": about(cluster_of(params))}


def main() -> None:
    run_module(ACCESS_SPEC, run, fenced=False)


if __name__ == "__main__":
    main()
