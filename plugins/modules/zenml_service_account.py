#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zenml_service_account
short_description: Make a ZenML service account and keep a working API key for it
description:
  - Makes a service account on a ZenML server and writes an API key for it into a file that its owner alone
    can read.
  - The key in the file is tried. One that does not work is replaced, and so is a key whose file was lost,
    since ZenML shows a key only once.
  - With the key and the server's address, a ZenML client works at once (E(ZENML_STORE_URL),
    E(ZENML_STORE_API_KEY)).
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.server
  - matcha.mlops.fence
options:
  name:
    description:
      - Name of the service account.
    type: str
    required: true
  description:
    description:
      - What the service account is for.
    type: str
    default: ''
  key_name:
    description:
      - Name of its API key.
    type: str
    default: default
  api_key_file:
    description:
      - File on the managed host that holds the API key. Its mode is V(0600), its folder must exist.
    type: path
    required: true
  rotate:
    description:
      - Replace the API key, even if it works. The old one ends at once.
    type: bool
    default: false
seealso:
  - module: matcha.mlops.zenml_stack
"""

EXAMPLES = r"""
- name: Hand out an API key for clients
  matcha.mlops.zenml_service_account:
    server_url: http://127.0.0.1:8237
    username: admin
    password_file: /srv/mlops/secrets/zenml-password
    name: matcha
    api_key_file: /srv/mlops/secrets/zenml-api-key
"""

RETURN = r"""
service_account:
  description: Identifier of the service account, V(null) where it is only planned.
  returned: success
  type: dict
  sample:
    id: 2b6fd6c4-9a5b-4a5e-8c3e-0d2f3a1b4c5d
msg:
  description: Why everything is reported as to be made.
  returned: in check mode, if the server does not answer yet
  type: str
"""

import os
from collections.abc import Mapping
from typing import Any

from ..module_utils.module import run_module
from ..module_utils.rest import (
    SecretFileError,
    UnreachableError,
    connected,
    connection_spec,
    is_private,
    read_secret,
    write_secret,
)
from ..module_utils.zenml import Zenml, converge_service_account, key_works, new_api_key

ARGUMENT_SPEC: dict[str, Any] = {
    **connection_spec(),
    "name": {"type": "str", "required": True},
    "description": {"type": "str", "default": ""},
    # A name and a path: neither is a secret.
    "key_name": {"type": "str", "default": "default", "no_log": False},
    "api_key_file": {"type": "path", "required": True, "no_log": False},
    "rotate": {"type": "bool", "default": False},
}


def key_state(params: Mapping[str, Any]) -> str:
    """Say what is wrong with the key in the file, in a word or two."""
    path = params["api_key_file"]
    try:
        key = read_secret(path, "ZenML's API key")
    except SecretFileError:
        return "missing"
    if not key_works(params["server_url"], key, params["name"], params["timeout"]):
        return "does not work"
    if params["rotate"]:
        return "to be replaced"
    return "works" if is_private(path) else "works, but others can read it"


def converge(params: Mapping[str, Any], apply: bool) -> dict[str, Any]:
    """Converge the account and its key."""
    password = read_secret(params["password_file"], "the password of ZenML's user")
    client = Zenml.login(params["server_url"], params["username"], password, params["timeout"])
    account = converge_service_account(client, params["name"], params["description"], apply=apply)
    state = key_state(params)
    if apply and state == "works, but others can read it":
        os.chmod(params["api_key_file"], 0o600)
    elif apply and state != "works":
        write_secret(params["api_key_file"], new_api_key(client, account.result["id"], params["key_name"]))
    return {
        "changed": account.changed or state != "works",
        "service_account": {"id": account.result["id"]},
        "diff": {
            "before": {"service_account": account.before, "api_key": state},
            "after": {"service_account": account.after, "api_key": "works"},
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
        return {
            "changed": True,
            "msg": f"The ZenML service account '{params['name']}' and its API key would be made, since there is "
            f"nothing to compare: {error}",
            "service_account": {"id": None},
            "diff": {"before": {}, "after": {"service_account": {params["name"]: {}}, "api_key": "works"}},
        }


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
