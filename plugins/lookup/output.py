# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: output
short_description: Read the outputs of a deployment
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
description:
  - Returns what the playbook C(matcha.mlops.outputs) shows, for other playbooks.
  - It reads the state and takes no lock.
options:
  _terms:
    description:
      - Name of a resource, and of one of its properties. All properties without the latter, everything without both.
    type: list
    elements: str
  target:
    description:
      - Target of the deployment.
    type: str
    vars:
      - name: matcha_target
  prefix:
    description:
      - Prefix of the deployment. V(matcha) if it is empty.
    type: str
    vars:
      - name: matcha_prefix
  home:
    description:
      - Folder of all local deployments.
    type: str
    vars:
      - name: matcha_home
  subscription_id:
    description:
      - Subscription of a deployment on Azure. Who signs in there is told by the environment, as to the modules.
    type: str
    vars:
      - name: matcha_subscription
  show_sensitive:
    description:
      - Whether secrets are returned. They are masked otherwise.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show where MLflow is
  ansible.builtin.debug:
    msg: "{{ lookup('matcha.mlops.output', 'experiment-tracker', 'tracking-url') }}"

- name: Use its password
  ansible.builtin.uri:
    url: "{{ lookup('matcha.mlops.output', 'experiment-tracker', 'tracking-url') }}"
    url_username: "{{ lookup('matcha.mlops.output', 'experiment-tracker', 'username') }}"
    url_password: "{{ lookup('matcha.mlops.output', 'experiment-tracker', 'password', show_sensitive=true) }}"
"""

RETURN = r"""
_list:
  description: One value, or a dictionary of properties, or one of resources.
  type: list
  elements: raw
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils.errors import MatchaError
from ..plugin_utils.deployment import outputs_of
from ..plugin_utils.outputs import resolve, select


class LookupModule(LookupBase):
    """Read the outputs of a deployment."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """Return a list with the one value that was asked for."""
        self.set_options(var_options=variables, direct=kwargs)  # type: ignore[no-untyped-call]
        if len(terms) > 2:
            raise AnsibleLookupError("matcha.mlops.output takes a resource and a property, not more.")
        options = self.get_options()  # type: ignore[no-untyped-call]
        place = {name: options[name] or "" for name in ("target", "prefix", "home", "subscription_id")}
        try:
            outputs, reveal = outputs_of(place)
            resource, name = [*terms, "", ""][:2]
            value = resolve(select(outputs, resource, name), reveal if options["show_sensitive"] else None)
        except MatchaError as error:
            raise AnsibleLookupError(str(error)) from error
        return [value[resource] if resource and not name else value]
