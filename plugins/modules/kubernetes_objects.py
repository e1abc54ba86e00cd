#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_objects
short_description: Bring many objects of a Kubernetes cluster to what is wanted
description:
  - Applies objects on the server (server-side apply) with the field manager C(matcha.mlops), in an order that works,
    and waits for all of them together.
  - What would become of each is tried on the server first. Only an object that would be another one afterwards is
    written; so a second run changes nothing, not even a C(resourceVersion). Fields that nobody named stay as they are.
  - Other than M(kubernetes.core.k8s), it is fenced by the deployment's lock, plans without a cluster, waits for
    all objects at once, saying which and why, and never shows a value of a Secret.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.kubernetes
  - matcha.mlops.kubernetes.objects
  - matcha.mlops.fence
options:
  state:
    description:
      - Whether the objects are to be there.
      - With V(absent) they are deleted in reverse order, with all that they own.
    type: str
    choices: [present, absent]
    default: present
  objects:
    description:
      - The objects, as in a manifest.
      - A Secret in here cannot have values; see O(secrets).
      - A pod template that uses a Secret or ConfigMap of this same task gets an annotation with a hash of it, so that
        its pods are replaced when the content changes.
    type: list
    elements: dict
    default: []
  wait:
    description:
      - Whether to wait until the objects are ready, or gone.
      - That is, a rollout is complete, a Job has succeeded, a claim is bound (or waits for a pod), a definition is
        established, a SeldonDeployment is available.
      - A crash, an image that does not exist and the like end the waiting early, with the pod's own last words.
    type: bool
    default: true
  force_conflicts:
    description:
      - Whether to take over fields that somebody else manages. If not, such a conflict is an error.
    type: bool
    default: true
seealso:
  - module: matcha.mlops.kubernetes_objects_info
  - module: matcha.mlops.kubernetes_job
"""

EXAMPLES = r"""
- name: Serve tea
  matcha.mlops.kubernetes_objects:
    kubeconfig: ~/.kube/config
    context: tea
    objects: "{{ lookup('ansible.builtin.template', 'tea.yaml.j2') | from_yaml_all | select | list }}"
    secrets:
      - name: tea
        namespace: tea
        files:
          password: /srv/mlops/secrets/tea-password
"""

RETURN = r"""
objects:
  description: The objects as they are now, or would be, without the values of Secrets.
  returned: success
  type: list
  elements: dict
planned:
  description: Always V(true).
  returned: in check mode, if there is no cluster to ask
  type: bool
msg:
  description: Why everything is shown as to be created.
  returned: in check mode, if there is no cluster to ask
  type: str
failure:
  description: What the API server refused with - its reason, its message and the HTTP status.
  returned: if it refused
  type: dict
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.kubernetes.content import spec, values_of, wanted_of
from ..module_utils.kubernetes.errors import UnreadyError
from ..module_utils.kubernetes.module import ACCESS_SPEC, PROGRESS_SPEC, cluster_of, sayer
from ..module_utils.kubernetes.objects import applied, removed
from ..module_utils.kubernetes.wait import Waiter
from ..module_utils.module import run_module

ARGUMENT_SPEC: dict[str, Any] = {
    **ACCESS_SPEC,
    **PROGRESS_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "objects": {"type": "list", "elements": "dict", "default": []},
    # Names and paths: neither is a secret.
    "secrets": {"type": "list", "elements": "dict", "default": [], "no_log": False, "options": spec()},
    "config_maps": {"type": "list", "elements": "dict", "default": [], "options": spec()},
    "labels": {"type": "dict", "default": {}},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
    "force_conflicts": {"type": "bool", "default": True},
}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    cluster, say = cluster_of(params, check_mode), sayer(params)
    absent = params["state"] == "absent"
    wanted = wanted_of(params, check_mode or absent)
    if absent:
        limit = params["wait_timeout"] if params["wait"] else 0
        return {**removed(cluster, wanted, not check_mode, limit, say).result(), "warnings": cluster.warnings}
    outcome = applied(cluster, wanted, not check_mode, params["force_conflicts"])
    if params["wait"] and not check_mode:
        try:
            Waiter(cluster, params["wait_timeout"], say, values_of(wanted)).wait(outcome.objects)
        except UnreadyError as error:
            raise UnreadyError(str(error), outcome.result()) from None
    return {**outcome.result(), "warnings": cluster.warnings}


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
