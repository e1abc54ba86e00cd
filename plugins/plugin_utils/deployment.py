# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be read of a deployment, on whatever target: for outputs, the lookup and status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .outputs import Outputs, Reveal, recorded
from .place import place_of


def outputs_of(options: Mapping[str, Any]) -> tuple[Outputs, Reveal]:
    """Return every output of a deployment, with references in place of secrets, and what reads one of those.

    ``options`` are those of ``PLACE_SPEC``. Raises ``MatchaError``.
    """
    place = place_of(options)
    return recorded(place.read()), place.reveal
