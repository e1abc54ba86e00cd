# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show who holds a deployment's lock, and take it away: see the module's documentation."""

from __future__ import annotations

from typing import Any, ClassVar

from ..module_utils.errors import MatchaError
from ..plugin_utils.action import MatchaAction, as_bool, display
from ..plugin_utils.place import PLACE_SPEC, place_of


class ActionModule(MatchaAction):
    """Free a lock; the one of a run that is alive only by force."""

    SPEC: ClassVar[dict[str, Any]] = {**PLACE_SPEC, "force": {"type": "str", "default": ""}}

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Refuse a live holder unless forced."""
        force = as_bool(options["force"], "matcha_force")
        place = place_of(options)
        holder = place.holder()
        if holder is None:
            display.display(f"  The lock of '{place.prefix}' is free.")
            return {"changed": False, "holder": None}
        display.display(f"  The lock of '{place.prefix}' is held by {holder}.")
        if holder.alive and not force:
            raise MatchaError(
                f"The lock is held by {holder}, which is alive: wait until it ends, or take the lock away with "
                f"matcha_force=true; its next write then fails."
            )
        if not self._task.check_mode:
            place.lock().force()
        return {"changed": True, "holder": str(holder)}
