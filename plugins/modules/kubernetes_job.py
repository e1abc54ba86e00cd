#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_job
short_description: Run a Job in a Kubernetes cluster to its end
description:
  - Runs a Job, waits for its end, and returns what it wrote.
  - A Job runs once for each content. Its name gets a hash of its definition and of the files that it uses; where that
    one has succeeded already, nothing is done. A Job that failed is run again, and one of another content is replaced
    when it has ended.
  - So a task that was killed finds its Job the next time, and waits for it.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.kubernetes
  - matcha.mlops.kubernetes.objects
  - matcha.mlops.fence
options:
  definition:
    description:
      - The Job, as in a manifest. Its C(backoffLimit) is 2 and the C(restartPolicy) of its pods V(Never), unless it
        says otherwise.
      - With C(ttlSecondsAfterFinished), a ConfigMap remembers that it succeeded.
    type: dict
    required: true
  rerun:
    description:
      - Whether to run it also if it has succeeded already.
    type: bool
    default: false
  changed_when_run:
    description:
      - Whether a run counts as a change. Say V(false) for a Job that only looks.
    type: bool
    default: true
notes:
  - O(secrets) and O(config_maps) are applied before the Job, and stay.
  - The values of O(secrets), and passwords in addresses, are hidden in the log that is returned.
seealso:
  - module: matcha.mlops.kubernetes_objects
"""

EXAMPLES = r"""
- name: Make the database's users
  matcha.mlops.kubernetes_job:
    definition: "{{ lookup('ansible.builtin.template', 'users.yaml.j2') | from_yaml }}"
    secrets:
      - name: tea-database
        namespace: tea
        files:
          password: /srv/mlops/secrets/tea-database-password
    config_maps:
      - name: tea-database-users
        namespace: tea
        files:
          users.sql: /srv/mlops/users.sql
"""

RETURN = r"""
ran:
  description: Whether the Job ran just now, or would.
  returned: success
  type: bool
succeeded:
  description: Whether it succeeded; V(null) in check mode, if it has not run before.
  returned: success
  type: bool
log:
  description: What it wrote, the last 64 KiB of it, without secrets.
  returned: success
  type: str
report:
  description: The last line of the log that is a JSON object; empty if there is none.
  returned: success
  type: dict
failure:
  description: What the API server refused with - its reason, its message and the HTTP status.
  returned: if it refused
  type: dict
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.kubernetes.content import spec, wanted_of
from ..module_utils.kubernetes.job import JobRun
from ..module_utils.kubernetes.model import with_labels
from ..module_utils.kubernetes.module import ACCESS_SPEC, PROGRESS_SPEC, cluster_of, sayer
from ..module_utils.module import run_module

ARGUMENT_SPEC: dict[str, Any] = {
    **ACCESS_SPEC,
    **PROGRESS_SPEC,
    "definition": {"type": "dict", "required": True},
    # Names and paths: neither is a secret.
    "secrets": {"type": "list", "elements": "dict", "default": [], "no_log": False, "options": spec()},
    "config_maps": {"type": "list", "elements": "dict", "default": [], "options": spec()},
    "labels": {"type": "dict", "default": {}},
    "rerun": {"type": "bool", "default": False},
    "changed_when_run": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    cluster = cluster_of(params, check_mode)
    contents = wanted_of({**params, "objects": []}, check_mode)
    definition = with_labels(params["definition"], params["labels"])
    job = JobRun(cluster, definition, contents, params["wait_timeout"], sayer(params), params["rerun"])
    result = job.run(apply=not check_mode)
    return {"changed": result["ran"] and params["changed_when_run"], **result, "warnings": cluster.warnings}


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
