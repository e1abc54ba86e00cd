# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module's ``main`` is: a specification, one call, and a fence around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .errors import MatchaError
from .stack.lock import LocalLock

# The action plugin of the same name fills them in from the fact that the role `stack` sets.
FENCE_SPEC: dict[str, Any] = {
    "deployment": {"type": "path"},
    "run": {"type": "str"},
}


def run_module(
    spec: Mapping[str, Any], run: Callable[[Mapping[str, Any], bool], dict[str, Any]], fenced: bool = True
) -> None:
    """Run a module; ``run`` takes its options and whether this is check mode.

    One that changes something is ``fenced``: outside check mode it runs only while this run holds the
    deployment's lock. A ``MatchaError`` becomes the module's message.
    """
    module = AnsibleModule(argument_spec={**(FENCE_SPEC if fenced else {}), **spec}, supports_check_mode=True)
    params = module.params
    locks = fenced and params["run"] and params["deployment"] and not module.check_mode
    try:
        with LocalLock(Path(params["deployment"])).working(params["run"]) if locks else nullcontext():
            result = run(params, module.check_mode)
    except MatchaError as error:
        module.fail_json(msg=str(error), **error.details)
    except OSError as error:
        module.fail_json(msg=f"{error.filename or module.params.get('name')}: {error.strerror or error}.")
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    module.exit_json(**result)
