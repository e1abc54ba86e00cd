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
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status prediction without modifying the target.
    support: full
    details:
      - If the server does not answer yet, everything is reported as to be made.
  diff_mode:
    description: Returns what has changed, or would change, in diff mode. A secret is never in it.
    support: full
  idempotent:
    description: Run twice in a row without a change in between, the module reports no change the second time.
    support: full
"""
