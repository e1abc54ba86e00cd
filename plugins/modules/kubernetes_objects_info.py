#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_objects_info
short_description: Tell of objects in a Kubernetes cluster
description:
  - Returns objects of one kind, by name, by namespace or by label. Values of Secrets are not shown.
  - A kind, namespace or object that does not exist is an empty list. So is everything, in check mode, where there is no
    cluster to ask.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.kubernetes
options:
  api_version:
    description:
      - Version of the API that the kind is of.
    type: str
    default: v1
  kind:
    description:
      - Kind of the objects.
    type: str
    required: true
  namespace:
    description:
      - Their namespace. Left out, it is all of them.
    type: str
  name:
    description:
      - Name of one object.
    type: str
  label_selectors:
    description:
      - Conditions that the labels of the objects must all meet.
    type: list
    elements: str
    default: []
seealso:
  - module: matcha.mlops.kubernetes_objects
"""

EXAMPLES = r"""
- name: Find the volumes of a deployment
  matcha.mlops.kubernetes_objects_info:
    kind: PersistentVolumeClaim
    namespace: chroma
    label_selectors: ["app.kubernetes.io/part-of=matcha"]
"""

RETURN = r"""
objects:
  description: The objects, with their status. Empty if there are none.
  returned: success
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.kubernetes.client import selector
from ..module_utils.kubernetes.errors import UnreachableError
from ..module_utils.kubernetes.model import shown
from ..module_utils.kubernetes.module import ACCESS_SPEC, cluster_of
from ..module_utils.module import run_module

ARGUMENT_SPEC: dict[str, Any] = {
    **ACCESS_SPEC,
    "api_version": {"type": "str", "default": "v1"},
    "kind": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "name": {"type": "str"},
    "label_selectors": {"type": "list", "elements": "str", "default": []},
}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    selectors: dict[str, Any] = {}
    if params["label_selectors"]:
        selectors["label_selector"] = selector(params["label_selectors"])
    if params["name"]:
        selectors["field_selector"] = f"metadata.name={params['name']}"
    try:
        found = cluster_of(params, check_mode).list(
            params["api_version"], params["kind"], params["namespace"] or "", **selectors
        )
    except UnreachableError:
        if not check_mode:
            raise
        found = []
    return {"changed": False, "objects": [shown(each) for each in found]}


def main() -> None:
    run_module(ARGUMENT_SPEC, run, fenced=False)


if __name__ == "__main__":
    main()
