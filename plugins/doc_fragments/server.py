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
      - Address of the server, without a path.
    type: str
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
