#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zenml_user
short_description: Change the password of a user of a ZenML server
description:
  - Changes a user's own password on a ZenML server, over its REST interface.
  - Where the new password works already, nothing is done. So a rotation that was interrupted can be run again.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.server
  - matcha.mlops.fence
options:
  password_file:
    description:
      - File on the managed host that holds the password until now. It is read only if the new one does not work.
  new_password_file:
    description:
      - File on the managed host that holds the new password.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Rotate the administrator's password
  matcha.mlops.zenml_user:
    server_url: http://127.0.0.1:8237
    username: admin
    password_file: /srv/mlops/secrets/zenml-password
    new_password_file: /srv/mlops/secrets/zenml-password.new
"""

RETURN = r"""
msg:
  description: Why a change is reported.
  returned: in check mode, if the server does not answer yet
  type: str
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.module import run_module
from ..module_utils.rest import SecretFileError, UnreachableError, connected, connection_spec, read_secret
from ..module_utils.zenml import Zenml, change_password, password_works

ARGUMENT_SPEC: dict[str, Any] = {
    **connection_spec(),
    # A path, not a secret.
    "new_password_file": {"type": "path", "required": True, "no_log": False},
}


def converge(params: Mapping[str, Any], apply: bool) -> dict[str, Any]:
    """Converge the password."""
    url, username, timeout = params["server_url"], params["username"], params["timeout"]
    new = read_secret(params["new_password_file"], "the new password of ZenML's user")
    if password_works(url, username, new, timeout):
        return {"changed": False}
    old = read_secret(params["password_file"], "the password of ZenML's user")
    client = Zenml.login(url, username, old, timeout)
    if apply:
        change_password(client, old, new)
    return {"changed": True, "diff": {"before": {username: "old password"}, "after": {username: "new password"}}}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    try:
        with connected(params) as server:
            return converge(server, apply=not check_mode)
    except (UnreachableError, SecretFileError) as error:
        if not check_mode:
            raise
        return {"changed": True, "msg": f"The password would be changed, since it cannot be tried: {error}"}


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
