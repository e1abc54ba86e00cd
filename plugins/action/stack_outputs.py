# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what a deployment tells the world: see the module's documentation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils.errors import MatchaError
from ..module_utils.files import write_atomically
from ..module_utils.stack.definition import did_you_mean
from ..plugin_utils.action import MatchaAction, as_bool, display
from ..plugin_utils.deployment import outputs_of
from ..plugin_utils.outputs import FORMATS, query, render, resolve, select
from ..plugin_utils.place import PLACE_SPEC


class ActionModule(MatchaAction):
    """Show outputs; takes no lock and changes nothing but the file that it is asked to write."""

    SPEC: ClassVar[dict[str, Any]] = {
        **PLACE_SPEC,
        "resource": {"type": "str", "default": ""},
        "property": {"type": "str", "default": ""},
        "format": {"type": "str", "default": ""},
        "query": {"type": "str", "default": ""},
        "show_sensitive": {"type": "str", "default": ""},
        "output_file": {"type": "str", "default": ""},
        "quiet": {"type": "bool", "default": False},
    }

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Print or write the values; the result never has a secret in it."""
        form = options["format"] or "text"
        if form not in FORMATS:
            raise MatchaError(f"matcha_output is '{form}': {did_you_mean(form, FORMATS)}")
        sensitive = as_bool(options["show_sensitive"], "matcha_show_sensitive")
        changed = False
        found, reveal = outputs_of(options)
        # Only secrets that are asked for are read.
        chosen = select(found, options["resource"], options["property"])
        masked = self._asked(options, resolve(chosen, None))
        if not options["quiet"]:
            text = render(self._asked(options, resolve(chosen, reveal)) if sensitive else masked, form)
            if options["output_file"]:
                changed = self._write(options["output_file"], text)
            else:
                display.display(text.rstrip("\n"))
        return {"changed": changed, "outputs": masked}

    @staticmethod
    def _asked(options: dict[str, Any], value: Any) -> Any:
        return query(value, options["query"]) if options["query"] else value

    def _write(self, name: str, text: str) -> bool:
        path = Path(os.path.expandvars(os.path.expanduser(name))).absolute()
        try:
            same = path.read_text(encoding="utf-8") == text and not path.stat().st_mode & 0o077
        except FileNotFoundError:
            same = False
        if not same and not self._task.check_mode:
            write_atomically(path, text)
        return not same
