# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module's ``main`` is: one call, a fence around it, and a sentence where it fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from ansible_collections.matcha.mlops.plugins.module_utils.module import run_module
from ansible_collections.matcha.mlops.plugins.module_utils.stack import watcher
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LocalLock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Return what runs a module that does this, and gives its result as Ansible reads it."""

    def one(does: Callable[[Mapping[str, Any], bool], dict[str, Any]], **arguments: Any) -> dict[str, Any]:
        with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
            run_module({"name": {"type": "str"}}, does)
        result = json.loads(capsys.readouterr().out)
        assert bool(ended.value.code) == bool(result.get("failed"))
        return result

    return one


def test_its_options_and_its_result(run: Callable[..., dict[str, Any]]) -> None:
    result = run(lambda params, check_mode: {"changed": True, "said": [params["name"], check_mode]}, name="tea")
    assert result["changed"]
    assert result["said"] == ["tea", False]


def test_its_warnings_are_ansibles(run: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: told.append(text))
    assert "warnings" not in run(lambda _params, _check_mode: {"warnings": ["The tea is hot."]})
    assert told == ["The tea is hot."]


def test_an_error_is_its_message(run: Callable[..., dict[str, Any]]) -> None:
    def fails(_params: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
        raise MatchaError("There is no tea: make some.")

    result = run(fails)
    assert result["failed"]
    assert result["msg"] == "There is no tea: make some."


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(13, "Permission denied", "/data/tea"), "/data/tea: Permission denied."),
        (OSError(28, "No space left on device"), "tea: No space left on device."),
    ],
)
def test_the_systems_error_is_a_sentence(run: Callable[..., dict[str, Any]], error: OSError, sentence: str) -> None:
    def fails(_params: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
        raise error

    assert run(fails, name="tea")["msg"] == sentence


def test_it_runs_within_the_fence(run: Callable[..., dict[str, Any]], folder: Folder) -> None:
    token = LocalLock(folder.path).try_acquire("test")

    def tells(_params: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
        # This very process has the file open, which is what a new holder looks for.
        held = (folder.path / watcher.WORK).stat().st_ino in {
            path.stat().st_ino for path in watcher.Path("/proc/self/fd").iterdir() if path.exists()
        }
        return {"changed": held}

    assert run(tells, deployment=str(folder.path), run=token)["changed"]
    assert not run(tells, deployment=str(folder.path))["changed"]
    assert not run(tells, deployment=str(folder.path), run=token, _ansible_check_mode=True)["changed"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_without_the_lock_nothing_is_done(run: Callable[..., dict[str, Any]], folder: Folder, check_mode: bool) -> None:
    LocalLock(folder.path).try_acquire("test")
    done = []

    def does(_params: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
        done.append(1)
        return {}

    result = run(does, deployment=str(folder.path), run="another", _ansible_check_mode=check_mode)
    # Check mode changes nothing, and needs no lock.
    assert bool(result.get("failed")) is not check_mode
    assert bool(done) is check_mode
    if not check_mode:
        assert "This run does not hold the lock any more" in result["msg"]
