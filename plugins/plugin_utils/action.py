# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins share: their options, their errors, and what they know of the run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils.errors import MatchaError
from ..module_utils.local.folder import Folder
from ..module_utils.stack.state import FileState, State

display = Display()

TARGETS = ("local",)
# Where a deployment is to be found; the same for every plugin.
PLACE_SPEC: dict[str, Any] = {
    "target": {"type": "str", "default": ""},
    "prefix": {"type": "str", "default": ""},
    "home": {"type": "str", "default": ""},
}


class MatchaAction(ActionBase):
    """An action plugin that runs on the controller, without a module."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True
    SPEC: ClassVar[dict[str, Any]] = {}

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the options, act, and make a failure with its sentence of a ``MatchaError``."""
        result = super().run(tmp, task_vars)
        del tmp
        _outcome, options = self.validate_argument_spec(argument_spec=self.SPEC)  # type: ignore[no-untyped-call]
        try:
            result.update(self.act(options, task_vars or {}))
        # Not raised: Ansible would say it once for each exception in the chain.
        except MatchaError as error:
            result.update(failed=True, msg=str(error))
        except OSError as error:
            result.update(failed=True, msg=f"{error.filename or self._task.action}: {error.strerror or error}.")
        return dict(result)

    @abstractmethod
    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return what is added to the task's result. May raise ``MatchaError``."""


def deployment_of(task_vars: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fact that the role ``stack`` sets. Raises ``MatchaError`` where it was skipped."""
    found = task_vars.get("matcha_deployment")
    if not isinstance(found, Mapping) or not found.get("run"):
        raise MatchaError(
            "The role matcha.mlops.stack did not run on this host before, so nothing guards the deployment: don't "
            "skip its tasks (they are tagged 'always'; see --start-at-task and --skip-tags)."
        )
    return dict(found)


def local_folder(options: Mapping[str, Any]) -> Folder:
    """Return the folder that a target, prefix and home mean. Raises ``MatchaError``."""
    from ..module_utils.stack.definition import check_prefix, did_you_mean

    target = options.get("target") or "azure"
    if target == "azure":
        raise MatchaError(
            "matcha_target is 'azure', which this version does not provide yet: set matcha_target=local, or use "
            "inventories/local, which does."
        )
    if target not in TARGETS:
        raise MatchaError(f"matcha_target is '{target}': {did_you_mean(target, TARGETS)}")
    return Folder.of(options.get("home") or "", check_prefix(options.get("prefix") or "matcha"))


def read_deployment(folder: Folder) -> State:
    """Return the state of a deployment that must exist. Raises ``MatchaError``."""
    state = FileState(folder.state).read()
    if state is None:
        raise MatchaError(
            f"There is no deployment '{folder.path.name}' in {folder.path.parent}: run provision first, or set "
            f"matcha_prefix and matcha_home to those of another one."
        )
    return state


def as_bool(value: Any, name: str) -> bool:
    """Return an option as a truth value; an empty one, as surveys send it, is false. Raises ``MatchaError``."""
    if value is None or value == "":
        return False
    try:
        return bool(boolean(value))
    except TypeError as error:
        raise MatchaError(f"{name} is '{value}': set it to true or false.") from error


def as_number(value: Any, name: str, lowest: int, highest: int) -> int | None:
    """Return an option as a whole number; an empty one, as surveys send it, is None. Raises ``MatchaError``."""
    if value is None or value == "":
        return None
    try:
        number = int(str(value))
    except ValueError:
        number = lowest - 1
    if not lowest <= number <= highest:
        raise MatchaError(f"{name} is '{value}': set it to a whole number from {lowest} to {highest}.")
    return number
