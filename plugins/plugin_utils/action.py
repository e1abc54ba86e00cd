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

display = Display()
# In place of a run's token where nothing is locked.
NO_LOCK = "unlocked"


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
            result.update(failed=True, msg=f"{error}{self._hint(error)}", **error.details)
        except OSError as error:
            result.update(failed=True, msg=f"{error.filename or self._task.action}: {error.strerror or error}.")
        return dict(result)

    def _hint(self, error: MatchaError) -> str:
        """Return what else to say to who cannot sign in: an unset target means Azure, perhaps unawares."""
        nobody = error.details.get("failure", {}).get("code") == "SignInFailed"
        return " For a deployment on this machine set matcha_target=local." if nobody and "target" in self.SPEC else ""

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
