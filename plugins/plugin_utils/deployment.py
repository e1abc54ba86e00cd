# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be read of a deployment, on whatever target: for outputs, the lookup and status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils.local import secrets
from .action import local_folder, read_deployment
from .outputs import Outputs, recorded, resolve


def outputs_of(place: Mapping[str, Any], sensitive: bool) -> Outputs:
    """Return every output of a deployment; secrets are masked unless ``sensitive``.

    ``place`` holds ``target``, ``prefix`` and ``home``. Raises ``MatchaError``.
    """
    folder = local_folder(place)
    outputs: Outputs = resolve(
        recorded(read_deployment(folder)), (lambda name: secrets.read(folder, name)) if sensitive else None
    )
    return outputs
