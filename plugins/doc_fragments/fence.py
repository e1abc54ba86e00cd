# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules that change something only while their run holds the lock."""

    DOCUMENTATION = r"""
options:
  deployment:
    description:
      - Folder of the deployment.
      - Taken from C(matcha_deployment), which the role P(matcha.mlops.stack#role) sets, if left out.
    type: path
  run:
    description:
      - Token of the run that holds the deployment's lock. The module fails if another run holds it by now.
      - Taken from C(matcha_deployment), which the role P(matcha.mlops.stack#role) sets, if left out.
    type: str
"""
