# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins, run as Ansible's workers run them: this process's parent is the controller."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.matcha.mlops.plugins.action import stack_begin
from ansible_collections.matcha.mlops.plugins.module_utils.local import secrets
from ansible_collections.matcha.mlops.plugins.module_utils.stack import lock as stack_lock
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LocalLock
from ansible_collections.matcha.mlops.plugins.module_utils.stack.state import FileState
from ansible_collections.matcha.mlops.plugins.plugin_utils import fenced, local_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder

COMPONENTS = ["dvc", "chroma"]
TRACKER = {"flavor": "mlflow", "properties": {"user-name": "admin", "password": {"secret": "word"}}}


def action(name: str, options: dict[str, Any], *, check_mode: bool = False) -> Any:
    """Return an action plugin with its task."""
    plugin = importlib.import_module(f"ansible_collections.matcha.mlops.plugins.action.{name}")
    task = SimpleNamespace(
        action=f"matcha.mlops.{name}", args=options, async_val=0, check_mode=check_mode, get_name=lambda: "A task"
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="none"))
    return plugin.ActionModule(task, connection, None, None, None)


def act(
    name: str, variables: dict[str, Any] | None = None, /, *, check_mode: bool = False, **options: Any
) -> dict[str, Any]:
    """Run an action plugin."""
    return dict(action(name, options, check_mode=check_mode).run(task_vars=variables or {}))


def sentence(result: dict[str, Any]) -> str:
    """Return why a result is a failure."""
    assert result.get("failed"), result
    assert "ansible_facts" not in result
    return str(result["msg"])


@pytest.fixture
def place(folder: Folder) -> dict[str, str]:
    """Return what says where the deployment is; nothing is there yet."""
    folder.path.rmdir()
    return {"target": "local", "prefix": folder.path.name, "home": str(folder.path.parent)}


@pytest.fixture
def begin(place: dict[str, str]) -> Callable[..., dict[str, Any]]:
    """Return what begins a run, on a stack of one component unless asked otherwise."""

    def one(tags: list[str] | None = None, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        asked = {
            **place,
            "stack": "own",
            "stacks": {"default": COMPONENTS, "own": ["dvc"]},
            "components": COMPONENTS,
            "ports": {"chroma": {"http": ""}},
            "purpose": "provision",
            **options,
        }
        variables = {"ansible_playbook_python": sys.executable, "ansible_run_tags": tags or ["all"]}
        return act("stack_begin", variables, check_mode=check_mode, **asked)

    return one


@pytest.fixture
def deployment(begin: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Return the variables of a run that has begun."""
    return dict(begin()["ansible_facts"])


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that stands for another controller from now on."""
    with subprocess.Popen(["sleep", "1000"], text=True) as process:
        monkeypatch.setattr(stack_lock.os, "getppid", lambda: process.pid)
        yield process
        process.kill()


def test_a_run_begins_and_ends(folder: Folder, begin: Callable[..., dict[str, Any]], free_port: int) -> None:
    result = begin(stack="default", ports={"chroma": {"http": str(free_port)}})
    facts = result["ansible_facts"]["matcha_deployment"]
    state = FileState(folder.state).read()
    holder = LocalLock(folder.path).holder()
    assert result["changed"]
    assert state
    assert holder
    assert facts == {
        "exists": False,
        "path": str(folder.path),
        "run": holder.token,
        "target": "local",
        "prefix": "tests",
        "home": str(folder.path.parent),
        "python": sys.executable,
        "stack": "default",
        "components": COMPONENTS,
        "selected": COMPONENTS,
        "ports": {"dvc": {}, "chroma": {"http": free_port}},
        "environments": {},
    }
    assert state["ports"] == facts["ports"]
    assert folder.path.stat().st_mode & 0o777 == 0o700
    # A playbook may include another one of ours; what is unset is what is recorded.
    again = begin(stack="", ports={"chroma": {"http": ""}})
    assert not again["changed"]
    assert again["ansible_facts"]["matcha_deployment"] == {**facts, "exists": True}
    act("stack_end", result["ansible_facts"])
    assert LocalLock(folder.path).holder() is None


def test_check_mode_leaves_no_trace(folder: Folder, begin: Callable[..., dict[str, Any]]) -> None:
    result = begin(stack="default", check_mode=True)
    assert result["changed"]
    planned = result["ansible_facts"]["matcha_deployment"]
    assert not folder.path.exists()
    made = begin(stack="default")["ansible_facts"]["matcha_deployment"]
    # What was shown is what is.
    assert {**made, "run": ""} == {**planned, "run": ""}


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stack": "ownn"}, "did you mean 'own'?"),
        ({"stacks": {"own": ["dcv"]}}, "did you mean 'dvc'?"),
        ({"prefix": "Tests"}, "matcha_prefix is 'Tests': it must have 3 to 11"),
        ({"target": "locla"}, "matcha_target is 'locla': did you mean 'local'?"),
        ({"python": "/bin/false"}, "matcha_python is /bin/false, and that does not run"),
        ({"ports": {"dvc": {"http": "80"}}}, "The port 'http' of dvc is '80': set it to a whole number from 1024"),
        ({"rotate": ["zenlm"], "passwords": ["zenml"]}, "names 'zenlm', which has no password: did you mean 'zenml'?"),
        ({"missing": "fail"}, "There is no deployment 'tests' in"),
        ({"home": "/dev/null/x"}, "/dev/null is not a folder that you can write to"),
    ],
)
def test_bad_input_leaves_no_trace(
    folder: Folder, begin: Callable[..., dict[str, Any]], options: dict[str, Any], said: str, check_mode: bool
) -> None:
    assert said in sentence(begin(check_mode=check_mode, **options))
    assert not folder.path.exists()


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_full_disk(
    folder: Folder, begin: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(local_place.shutil, "disk_usage", lambda _path: usage(2**40, 0, 2**30))
    assert "has 1.0 GiB left, and 2 components may need 1.6: make room" in sentence(
        begin(stack="default", check_mode=check_mode)
    )
    assert not folder.path.exists()


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_port_of_somebody_else_frees_the_lock_again(
    folder: Folder, begin: Callable[..., dict[str, Any]], stranger: int, check_mode: bool
) -> None:
    result = begin(stack="default", ports={"chroma": {"http": stranger}}, check_mode=check_mode)
    assert f"Port {stranger}, recorded for chroma (http), is taken by process {os.getpid()}" in sentence(result)
    assert LocalLock(folder.path).holder() is None
    assert not folder.state.exists()


@pytest.mark.parametrize("tags", [["all"], ["dvc"], ["nothing"]])
@pytest.mark.parametrize("check_mode", [False, True])
def test_another_stack_is_refused_whatever_the_tags(
    folder: Folder,
    begin: Callable[..., dict[str, Any]],
    deployment: dict[str, Any],
    tags: list[str],
    check_mode: bool,
) -> None:
    act("stack_end", deployment)
    before = folder.state.read_bytes()
    said = sentence(begin(stack="default", tags=tags, check_mode=check_mode))
    assert "has the stack 'own' (dvc), and a stack cannot be changed" in said
    assert folder.state.read_bytes() == before
    assert LocalLock(folder.path).holder() is None


def test_a_guarded_run_keeps_the_lock_of_the_run_around_it(
    folder: Folder, begin: Callable[..., dict[str, Any]], deployment: dict[str, Any]
) -> None:
    sentence(begin(stack="default"))
    holder = LocalLock(folder.path).holder()
    assert holder
    assert holder.token == deployment["matcha_deployment"]["run"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target": "azure"}, "has the target 'azure', and asked for was 'local'"),
        ({"destroying": True}, "A destroy of the deployment 'tests' was interrupted"),
        ({"schema_version": 2}, "written by a newer version of matcha.mlops"),
        ({"ports": None}, "is damaged"),
    ],
)
def test_a_state_with_which_nothing_begins(
    folder: Folder,
    begin: Callable[..., dict[str, Any]],
    deployment: dict[str, Any],
    change: dict[str, Any],
    said: str,
) -> None:
    act("stack_end", deployment)
    state = json.loads(folder.state.read_text(encoding="utf-8"))
    folder.state.write_text(json.dumps({**state, **change}), encoding="utf-8")
    before = folder.state.read_bytes()
    assert said in sentence(begin(stack=""))
    assert folder.state.read_bytes() == before
    assert LocalLock(folder.path).holder() is None


def test_an_interrupted_destroy_can_go_on(
    folder: Folder, begin: Callable[..., dict[str, Any]], deployment: dict[str, Any]
) -> None:
    act("stack_end", deployment)
    FileState(folder.state).update(lambda state: {**(state or {}), "destroying": True})
    facts = begin(stack="", missing="ignore")["ansible_facts"]["matcha_deployment"]
    assert facts["exists"]
    assert len(facts["run"]) == 32


def test_where_nothing_is_a_destroy_makes_nothing(folder: Folder, begin: Callable[..., dict[str, Any]]) -> None:
    facts = begin(stack="", missing="ignore")["ansible_facts"]["matcha_deployment"]
    assert facts["exists"] is False
    assert facts["run"] == "unlocked"
    assert not folder.path.exists()


@pytest.mark.usefixtures("deployment", "other")
def test_a_second_run_waits_as_long_as_it_was_asked_to(begin: Callable[..., dict[str, Any]]) -> None:
    assert "The deployment is locked by" in sentence(begin(stack=""))
    assert "locked by" in sentence(begin(stack="", lock_timeout="1"))
    assert "matcha_lock_timeout is 'long': set it to a whole number" in sentence(begin(stack="", lock_timeout="long"))


@pytest.mark.usefixtures("deployment", "other")
def test_check_mode_warns_of_another_run(
    begin: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not begin(stack="", check_mode=True).get("failed")
    assert "what is shown here may change meanwhile" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("run", "skip", "expected"),
    [
        (None, None, ["dvc", "chroma"]),
        (["all"], [], ["dvc", "chroma"]),
        (["tagged"], [], ["dvc", "chroma"]),
        (["dvc"], [], ["dvc"]),
        (["dvc", "mine"], [], ["dvc"]),
        (["mine"], [], []),
        (["all"], ["dvc"], ["chroma"]),
        (["dvc"], ["dvc"], []),
    ],
)
def test_tags_select_components(run: list[str] | None, skip: list[str] | None, expected: list[str]) -> None:
    variables = {"ansible_run_tags": run, "ansible_skip_tags": skip}
    assert stack_begin.selected(COMPONENTS, variables) == expected


def record(variables: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Record a component."""
    environment = variables["matcha_deployment"]["path"] + "/environments/dvc-2-bb"
    asked = {"component": "dvc", "version": "2", "package": "dvc", "environment": environment, **options}
    return act("stack_record", variables, **asked)


def test_a_component_is_recorded_once(folder: Folder, deployment: dict[str, Any]) -> None:
    for name in ("dvc-1-aa", "dvc-2-bb", "chroma-1-cc"):
        (folder.environments / name).mkdir(parents=True)
    planned = record(deployment, check_mode=True, outputs={"tracker": TRACKER})
    assert planned["changed"]
    assert json.loads(folder.state.read_text(encoding="utf-8"))["components"] == {}
    result = record(deployment, outputs={"tracker": TRACKER})
    assert result == planned
    assert result["ansible_facts"]["matcha_recorded"] == {"run": deployment["matcha_deployment"]["run"]}
    state = json.loads(folder.state.read_text(encoding="utf-8"))
    assert state["components"]["dvc"] == result["diff"]["after"]
    assert {path.name for path in folder.environments.iterdir()} == {"dvc-2-bb", "chroma-1-cc"}
    assert not record(deployment, outputs={"tracker": TRACKER})["changed"]


def test_nothing_is_recorded_without_the_lock(folder: Folder, deployment: dict[str, Any]) -> None:
    LocalLock(folder.path).force()
    before = folder.state.read_bytes()
    assert "does not hold the lock any more" in sentence(record(deployment))
    assert folder.state.read_bytes() == before


def test_a_state_that_is_gone_is_not_made_of_nothing(folder: Folder, deployment: dict[str, Any]) -> None:
    folder.state.unlink()
    assert "was removed while this run was under way" in sentence(record(deployment))
    assert not folder.state.exists()


@pytest.mark.parametrize("name", ["stack_end", "stack_record", "local_service"])
def test_nothing_is_done_where_the_guard_was_skipped(name: str) -> None:
    options = {"component": "dvc", "version": "2", "package": "dvc", "environment": "x"}
    result = act(name, **(options if name == "stack_record" else {}))
    assert "did not run on this host before, so nothing guards the deployment" in sentence(result)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(AnsibleActionFail, match="colour"):
        action("stack_end", {"colour": "green"}).run(task_vars={})


def test_the_end_says_who_is_not_done_and_frees_the_lock(
    folder: Folder, begin: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    facts = begin(stack="default")["ansible_facts"]
    now = {"run": facts["matcha_deployment"]["run"], "steps": [{"name": "push", "seconds": 0.5}]}
    # What is left of an earlier run does not count.
    hosts = {"matcha-dvc": {"done": now}, "matcha-chroma": {"done": {**now, "run": "earlier"}}}
    result = act("stack_end", {**facts, "hostvars": hosts}, fact="done")
    assert sentence(result).startswith("Not done: chroma. Done: dvc.")
    assert LocalLock(folder.path).holder() is None
    said = capsys.readouterr().out
    assert "dvc: done\n      0.50 s  push" in said
    assert "chroma: not done" in said
    del hosts["matcha-chroma"]
    assert "Not done: chroma." in sentence(act("stack_end", {**facts, "hostvars": hosts}, fact="done"))
    facts["matcha_deployment"]["selected"] = ["dvc"]
    result = act("stack_end", {**facts, "hostvars": hosts}, fact="done")
    assert result["components"] == {"dvc": now["steps"]}
    assert not result["changed"]


@pytest.fixture
def recorded(folder: Folder, deployment: dict[str, Any]) -> dict[str, Any]:
    """Record a component with a secret."""
    secrets.converge(folder, ["word"], [], apply=True)
    record(deployment, outputs={"tracker": TRACKER})
    return deployment


@pytest.mark.usefixtures("recorded")
def test_outputs_are_shown_without_secrets(
    folder: Folder, place: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    result = act("stack_outputs", **place, resource="tracker")
    expected = {"tracker": {"flavor": "mlflow", "user-name": "admin", "password": "********"}}
    assert result == {"changed": False, "outputs": expected}
    assert "user-name  admin" in capsys.readouterr().out
    # Asked for they are printed, and not returned: a result is logged.
    result = act("stack_outputs", **place, resource="tracker", format="json", show_sensitive="true")
    assert result["outputs"] == expected
    assert json.loads(capsys.readouterr().out)["tracker"]["password"] == secrets.read(folder, "word")
    result = act("stack_outputs", **place, query="keys(@)", quiet=True)
    assert result["outputs"] == ["cloud", "id", "tracker"]
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("recorded")
def test_outputs_for_machines_are_in_a_private_file(folder: Folder, place: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "outputs"
    options = {**place, "output_file": str(path), "format": "json", "show_sensitive": "true"}
    assert act("stack_outputs", check_mode=True, **options)["changed"]
    assert not path.exists()
    assert act("stack_outputs", **options)["changed"]
    assert json.loads(path.read_text(encoding="utf-8"))["tracker"]["password"] == secrets.read(folder, "word")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not act("stack_outputs", **options)["changed"]
    path.chmod(0o644)
    assert act("stack_outputs", **options)["changed"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert "No such file or directory" in sentence(
        act("stack_outputs", **{**options, "output_file": str(tmp_path / "none" / "x")})
    )


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "jsn"}, "matcha_output is 'jsn': did you mean 'json'?"),
        ({"show_sensitive": "perhaps"}, "matcha_show_sensitive is 'perhaps': set it to true or false"),
        ({"resource": "trackr"}, "There is no resource 'trackr': did you mean 'tracker'?"),
        ({"query": "["}, "matcha_query is not a valid JMESPath expression"),
        ({"prefix": "none"}, "There is no deployment 'none'"),
    ],
)
def test_outputs_that_cannot_be(place: dict[str, str], options: dict[str, str], said: str) -> None:
    assert said in sentence(act("stack_outputs", **{**place, **options}))


def test_status(
    folder: Folder, place: dict[str, str], recorded: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    status = act("stack_status", **place)["status"]
    assert status["prefix"] == "tests"
    assert status["stack"] == {"name": "own", "components": ["dvc"]}
    assert status["healthy"] is False
    assert status["drift"] is True
    assert "for 'provision'" in status["lock"]
    said = capsys.readouterr().out
    assert f"Deployment tests, stack own, target local, in {folder.path}" in said
    assert "dvc      2          no process   not healthy" in said
    assert "Its environment" in said
    act("stack_end", recorded)
    act("stack_status", **place, format="json")
    shown = json.loads(capsys.readouterr().out)
    assert shown["lock"] is None
    assert shown["components"] == status["components"]
    assert "did you mean 'yaml'?" in sentence(act("stack_status", **place, format="yml"))


def test_unlock(
    folder: Folder, place: dict[str, str], other: subprocess.Popen[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert act("stack_unlock", **place) == {"changed": False, "holder": None}
    assert not folder.path.exists()
    lock = LocalLock(folder.path)
    token = lock.try_acquire("provision")
    assert token
    assert "which is alive: wait until it ends" in sentence(act("stack_unlock", **place))
    result = act("stack_unlock", check_mode=True, **place, force="true")
    assert result["changed"]
    assert f"(process {other.pid})" in result["holder"]
    assert lock.holder()
    assert act("stack_unlock", **place, force="true")["changed"]
    assert lock.holder() is None
    assert "is held by" in capsys.readouterr().out


def test_unlock_needs_no_force_for_a_run_that_has_ended(
    folder: Folder, place: dict[str, str], other: subprocess.Popen[str]
) -> None:
    lock = LocalLock(folder.path)
    lock.try_acquire("provision")
    record = json.loads((folder.path / "lock.json").read_text(encoding="utf-8"))
    # It would free the lock by itself.
    os.kill(record["watcher"]["pid"], signal.SIGSTOP)
    other.kill()
    other.wait()
    result = act("stack_unlock", **place)
    assert f"(process {other.pid}, which has ended)" in result["holder"]
    assert lock.holder() is None


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what modules would be run with: Ansible runs them."""
    calls: list[dict[str, Any]] = []

    def execute(_self: object, **call: Any) -> dict[str, Any]:
        calls.append(call)
        return {"changed": True}

    monkeypatch.setattr(fenced.FencedAction, "_execute_module", execute)
    return calls


def test_a_fenced_module_knows_its_run(executed: list[dict[str, Any]]) -> None:
    variables = {
        "matcha_deployment": {"path": "/data/tests", "run": "token"},
        "ansible_playbook_python": "/venv/python",
        "ansible_python_interpreter": "/usr/bin/python",
    }
    assert act("local_service", variables, name="tea") == {"changed": True}
    (call,) = executed
    assert call["module_name"] == "matcha.mlops.local_service"
    assert call["module_args"] == {"name": "tea", "deployment": "/data/tests", "run": "token"}
    # The packages that it needs are beside Ansible.
    assert call["task_vars"]["ansible_python_interpreter"] == "/venv/python"
    # Somebody's own playbook may name another deployment.
    act("local_service", name="tea", deployment="/mine", run="unlocked")
    assert executed[1]["module_args"]["deployment"] == "/mine"


def test_a_fenced_module_that_is_not_guarded_is_not_run(executed: list[dict[str, Any]]) -> None:
    sentence(act("local_service", name="tea"))
    assert not executed


def test_what_takes_long_is_told(
    executed: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wait_until: Callable[..., Any],
) -> None:
    said: list[str] = []
    monkeypatch.setattr(fenced, "INTERVAL", 0.01)

    def slow(_self: object, **call: Any) -> dict[str, Any]:
        executed.append(call)
        wait_until(lambda: said.append(capsys.readouterr().out) or "so far" in "".join(said), "it is told")
        return {"changed": False}

    monkeypatch.setattr(fenced.FencedAction, "_execute_module", slow)
    act("local_service", {"inventory_hostname": "matcha-tea"}, run="x")
    assert "  matcha-tea: A task: 0 s so far" in "".join(said)
