#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zenml_stack
short_description: Register a stack, its components and their secrets on a ZenML server
description:
  - Registers a ZenML stack, the components it is made of and the secrets that these refer to, or brings
    them back to what is asked for.
  - Works over ZenML's REST interface. Neither ZenML nor an integration needs to be installed.
  - Values of a secret, settings of a component and components of a stack that are not named stay as they are.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.server
  - matcha.mlops.fence
options:
  name:
    description:
      - Name of the stack.
    type: str
    required: true
  description:
    description:
      - What the stack is for.
    type: str
    default: ''
  components:
    description:
      - Components of the stack. ZenML wants an orchestrator and an artifact store at least.
    type: list
    elements: dict
    required: true
    suboptions:
      type:
        description:
          - Type of the component, such as V(orchestrator), V(artifact_store) or V(experiment_tracker).
        type: str
        required: true
      name:
        description:
          - Name of the component.
          - The name of the stack if left out.
        type: str
      flavor:
        description:
          - Flavor of the component, such as V(local) or V(mlflow). ZenML cannot change it later.
        type: str
        required: true
      configuration:
        description:
          - Settings of the component.
        type: dict
        default: {}
      configuration_secrets:
        description:
          - Settings whose value is in a secret, with the secret and its key as C(secret.key).
        type: dict
        default: {}
  secrets:
    description:
      - Secrets on the ZenML server.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Name of the secret.
        type: str
        required: true
      values_files:
        description:
          - Keys of the secret, each with the path of the file on the managed host that holds its value.
        type: dict
        required: true
seealso:
  - module: matcha.mlops.zenml_service_account
"""

EXAMPLES = r"""
- name: Register a stack that tracks experiments in MLflow
  matcha.mlops.zenml_stack:
    server_url: http://127.0.0.1:8237
    username: admin
    password_file: /srv/mlops/secrets/zenml-password
    name: matcha
    secrets:
      - name: matcha-mlflow
        values_files:
          password: /srv/mlops/secrets/mlflow-password
    components:
      - type: orchestrator
        flavor: local
      - type: artifact_store
        flavor: local
        configuration:
          path: /srv/mlops/artifacts
      - type: experiment_tracker
        flavor: mlflow
        configuration:
          tracking_uri: http://127.0.0.1:8238
          tracking_username: admin
        configuration_secrets:
          tracking_password: matcha-mlflow.password
"""

RETURN = r"""
stack:
  description: Identifiers of what is registered, each V(null) where it is only planned.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier of the stack.
      type: str
    components:
      description: Identifier of each component, by type.
      type: dict
  sample:
    id: 2b6fd6c4-9a5b-4a5e-8c3e-0d2f3a1b4c5d
    components:
      orchestrator: 5f0e7a52-4f7c-4f0f-9a57-0b6c7d8e9f10
msg:
  description: Why everything is reported as to be made.
  returned: in check mode, if the server does not answer yet
  type: str
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.module import run_module
from ..module_utils.rest import (
    HIDDEN,
    Change,
    SecretFileError,
    UnreachableError,
    connected,
    connection_spec,
    read_secret,
)
from ..module_utils.zenml import Zenml, converge_component, converge_secret, converge_stack

ARGUMENT_SPEC: dict[str, Any] = {
    **connection_spec(),
    "name": {"type": "str", "required": True},
    "description": {"type": "str", "default": ""},
    "components": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "type": {"type": "str", "required": True},
            "name": {"type": "str"},
            "flavor": {"type": "str", "required": True},
            "configuration": {"type": "dict", "default": {}},
            # References to secrets and paths of files: neither is a secret.
            "configuration_secrets": {"type": "dict", "default": {}, "no_log": False},
        },
    },
    "secrets": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "values_files": {"type": "dict", "required": True},
        },
    },
}


def settings(component: Mapping[str, Any]) -> dict[str, Any]:
    """Return a component's configuration, with ZenML's references to secrets."""
    references = {key: "{{" + str(place) + "}}" for key, place in component["configuration_secrets"].items()}
    return {**component["configuration"], **references}


def model(secrets: list[dict[str, Any]], components: list[dict[str, Any]], stack: dict[str, Any]) -> dict[str, Any]:
    """Return one model of everything, for the difference."""
    return {
        "secrets": {key: value for part in secrets for key, value in part.items()},
        "components": {key: value for part in components for key, value in part.items()},
        "stack": stack,
    }


def planned(params: Mapping[str, Any], reason: Exception) -> dict[str, Any]:
    """Return the result for a server that is not there yet."""
    name, members = params["name"], params["components"]
    after = model(
        [{item["name"]: dict.fromkeys(item["values_files"], HIDDEN)} for item in params["secrets"]],
        [
            {f"{item['type']} {item['name'] or name}": {"flavor": item["flavor"], "configuration": settings(item)}}
            for item in members
        ],
        {
            name: {
                "description": params["description"],
                "components": {item["type"]: [item["name"] or name] for item in members},
            }
        },
    )
    return {
        "changed": True,
        "msg": f"The whole ZenML stack '{name}' would be registered, since there is nothing to compare: {reason}",
        "stack": {"id": None, "components": {item["type"]: None for item in members}},
        "diff": {"before": {}, "after": after},
    }


def converge(params: Mapping[str, Any], apply: bool) -> dict[str, Any]:
    """Converge secrets, components and stack, in the order in which they refer to each other."""
    password = read_secret(params["password_file"], "the password of ZenML's user")
    wanted = {
        secret["name"]: {
            key: read_secret(path, f"the value '{key}' of the ZenML secret '{secret['name']}'")
            for key, path in secret["values_files"].items()
        }
        for secret in params["secrets"]
    }
    client = Zenml.login(params["server_url"], params["username"], password, params["timeout"])
    secrets = [converge_secret(client, name, values, apply=apply) for name, values in wanted.items()]
    components: list[Change] = []
    members: dict[str, dict[str, str | None]] = {}
    for component in params["components"]:
        kind, name = component["type"], component["name"] or params["name"]
        change = converge_component(client, kind, name, component["flavor"], settings(component), apply=apply)
        components.append(change)
        members.setdefault(kind, {})[name] = change.result["id"]
    stack = converge_stack(client, params["name"], members, params["description"], apply=apply)
    return {
        "changed": any(change.changed for change in [*secrets, *components, stack]),
        "stack": {
            "id": stack.result["id"],
            "components": {kind: next(iter(ids.values())) for kind, ids in members.items()},
        },
        "diff": {
            "before": model([part.before for part in secrets], [part.before for part in components], stack.before),
            "after": model([part.after for part in secrets], [part.after for part in components], stack.after),
        },
    }


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    try:
        with connected(params) as server:
            return converge(server, apply=not check_mode)
    except (UnreachableError, SecretFileError) as error:
        if not check_mode:
            raise
        return planned(params, error)


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
