# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules that talk to a component's server."""

    DOCUMENTATION = r"""
options:
  server_url:
    description:
      - Address of the server, without a path. Needed unless O(forward) is set.
    type: str
  forward:
    description:
      - A Service of a Kubernetes cluster that leads to the server, in place of O(server_url).
      - It is reached by a port of this machine's own for as long as the module runs, through the API server.
    type: dict
    suboptions:
      kubeconfig:
        description: Kubeconfig file of the cluster.
        type: path
        required: true
      context:
        description: Context in it. Left out, it is the current one.
        type: str
      namespace:
        description: Namespace of the Service.
        type: str
        required: true
      service:
        description: Name of the Service.
        type: str
        required: true
      port:
        description: Port of the Service.
        type: int
        required: true
  username:
    description:
      - User to log in as.
    type: str
    required: true
  password_file:
    description:
      - File on the managed host that holds the user's password.
      - The module reads it there, so the password never is an argument, nor in a log.
    type: path
    required: true
  timeout:
    description:
      - How many seconds to wait for an answer.
    type: int
    default: 30
"""
