#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aks_credentials
short_description: Put access to an AKS cluster into a kubeconfig
description:
  - Gets a kubeconfig of an AKS cluster, and merges it into a file as one context.
  - Other contexts, clusters, users and whatever else is in the file stay as they are; comments are lost when it is
    written, as with C(kubectl). If another context uses an entry of the same name, the new one gets a name of its own.
  - A context of the same name that belongs to another cluster is not overwritten; the module fails.
  - The file is written whole or not at all, with mode 0600; a folder that is missing is made with mode 0700.
  - Nothing secret is in the result or in the diff.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.azure.info
  - matcha.mlops.fence
requirements:
  - azure-mgmt-containerservice >= 41.0.0
  - PyYAML
options:
  state:
    description:
      - V(absent) removes the context, and its cluster and user if no other context uses them. It asks nothing of Azure.
    type: str
    choices: [present, absent]
    default: present
  resource_group:
    description:
      - Resource group of the cluster. Needed unless O(state=absent).
    type: str
  cluster_name:
    description:
      - Name of the cluster. Needed unless O(state=absent) and O(context) are set.
    type: str
  admin:
    description:
      - Whether to get the certificate of the administrator.
      - A cluster with its local accounts switched off has none; use O(token) or O(login) there.
    type: bool
    default: false
  path:
    description:
      - The file. Left out, it is the first one in E(KUBECONFIG), else C(~/.kube/config).
    type: path
  context:
    description:
      - Name of the context. Left out, it is the cluster's name, with C(-admin) after it for O(admin=true), as C(az)
        does it.
    type: str
  set_current_context:
    description:
      - Whether the context becomes the current one.
    type: bool
    default: false
  login:
    description:
      - How C(kubelogin) signs a person or a program in, on a cluster with Entra ID. Left out, it is as Azure says,
        V(devicecode).
      - Means nothing on a cluster without Entra ID, which takes the certificate that Azure hands out.
      - No secret is written. V(spn), V(msi) and V(workloadidentity) take what is missing from the environment in which
        C(kubectl) runs, such as E(AZURE_CLIENT_ID) and E(AZURE_CLIENT_SECRET).
    type: str
    choices: [azurecli, devicecode, interactive, msi, spn, workloadidentity]
  login_client_id:
    description:
      - Client id for O(login). Not needed for V(azurecli), V(devicecode) and V(interactive).
    type: str
  token:
    description:
      - Whether to write a token of this module's own credential, on a cluster with Entra ID, so that the tasks that
        follow need no C(kubelogin). It is good for about an hour; a run in the last quarter of an hour renews it.
      - Means nothing on a cluster without Entra ID, which takes the certificate that Azure hands out.
    type: bool
    default: false
  public_fqdn:
    description:
      - Whether the server is a private cluster's public name.
    type: bool
    default: false
seealso:
  - module: matcha.mlops.aks_cluster
  - name: kubelogin
    description: How people sign in to a cluster with Entra ID.
    link: https://azure.github.io/kubelogin/
"""

EXAMPLES = r"""
- name: Let me use the cluster as I am signed in with az
  matcha.mlops.aks_credentials:
    resource_group: matcha-resources
    cluster_name: matcha-k8s
    login: azurecli
    set_current_context: true

- name: Let the tasks that follow use it
  matcha.mlops.aks_credentials:
    resource_group: matcha-resources
    cluster_name: matcha-k8s
    path: "{{ private_folder }}/kubeconfig"
    token: true

- name: Forget it
  matcha.mlops.aks_credentials:
    cluster_name: matcha-k8s
    state: absent
"""

RETURN = r"""
path:
  description: The file, without links on the way to it.
  returned: success
  type: str
context:
  description: Name of the context.
  returned: success
  type: str
server:
  description: Address of the API server.
  returned: if the context is there
  type: str
credential:
  description: Kind of the credential, such as V(certificate), V(token) or V(kubelogin azurecli); never itself.
  returned: if the context is there
  type: str
expires:
  description: When the token ends, in UTC.
  returned: with a token
  type: str
contexts:
  description: Names of the contexts that were added, changed and removed.
  returned: success
  type: dict
  sample: {added: [matcha-k8s], changed: [], removed: []}
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: if Azure refused
  type: dict
"""

from ..module_utils.azure.auth import AUTH_SPEC
from ..module_utils.azure.credentials import SPEC, apply
from ..module_utils.module import run_module


def main() -> None:
    run_module({**AUTH_SPEC, **SPEC}, apply)


if __name__ == "__main__":
    main()
