# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard and the preflight: bad input stops with a sentence, and nothing is changed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from deployments import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from deployments import Deployment


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"matcha_stack": "lmm"}, "there is no such stack: did you mean 'llm'?"),
        ({"matcha_stack": "own", "matcha_stacks": {"own": ["mlfow"]}}, "did you mean 'mlflow'?"),
        ({"matcha_stack": "own", "matcha_stacks": {"own": []}}, "must be a list of components"),
        ({"matcha_prefix": "My-Team"}, "it must have 3 to 11 lower-case letters and digits"),
        ({"matcha_target": "locl"}, "matcha_target is 'locl': did you mean 'local'?"),
        ({"matcha_target": "azure"}, "set matcha_target=local"),
        ({"matcha_python": "/nonexistent/python"}, "set it to the path of a Python 3.11 or 3.12"),
        ({"matcha_lock_timeout": "soon"}, "matcha_lock_timeout is 'soon': set it to a whole number"),
        ({"matcha_rotate_passwords": ["mlfow"]}, "did you mean 'mlflow'?"),
        ({"matcha_mlflow_port": "80"}, "from 1024 to 65535"),
        ({"matcha_mlflow_port": "20001", "matcha_chroma_port": "20001", "matcha_stack": "llm"}, "asked for twice"),
    ],
)
def test_bad_input(deployment: Deployment, variables: dict[str, Any], sentence: str) -> None:
    deployment.run("provision", **variables).failed(sentence)
    assert not list(deployment.home.iterdir())


def test_unsupported_python(deployment: Deployment) -> None:
    python = deployment.home.parent / f"{deployment.home.name}-python"
    python.write_text("#!/bin/sh\necho 3.9\n", encoding="utf-8")
    python.chmod(0o700)
    try:
        deployment.run("provision", matcha_python=str(python)).failed(
            "is Python 3.9, and the components need 3.11 or 3.12"
        )
    finally:
        python.unlink()
    assert not list(deployment.home.iterdir())


def test_a_home_that_is_a_file(deployment: Deployment) -> None:
    (deployment.home / "file").touch()
    deployment.run("provision", matcha_home=str(deployment.home / "file")).failed("not a folder that you can write to")


def test_a_home_that_is_not_writable(deployment: Deployment) -> None:
    if os.geteuid() == 0:
        # Root may write everywhere but here.
        deployment.run("provision", matcha_home="/proc/matcha").failed("set matcha_home to another place")
        return
    deployment.home.chmod(0o500)
    deployment.run("provision").failed("set matcha_home to another place")
    deployment.home.chmod(0o700)


def test_a_full_disk(deployment: Deployment) -> None:
    command = deployment.command("provision")
    mount = 'mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"'
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(deployment.home)]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk in a namespace of their own")
    result = subprocess.run([*unshare, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode
    assert "0.0 GiB left" in " ".join((result.stdout + result.stderr).split())
    assert "make room" in result.stdout + result.stderr


def test_a_path_too_long_for_a_socket(deployment: Deployment) -> None:
    home = deployment.home / ("long" * 30)
    deployment.run("provision", matcha_home=str(home)).failed("bytes too long for a Unix socket")
    assert not home.exists()


@pytest.fixture(scope="module")
def tiny() -> Any:
    from deployments import made, new_home

    for deployment in made(new_home(), stack="tiny"):
        deployment.run("provision").ok()
        deployment.stack = ""
        yield deployment


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"schema_version": 99}', "was written by a newer version of matcha.mlops"),
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"schema_version": 1}', "is damaged"),
    ],
)
@pytest.mark.parametrize("playbook", ["provision", "destroy", "outputs"])
def test_a_state_that_cannot_be_read(tiny: Deployment, playbook: str, text: str, sentence: str) -> None:
    state = tiny.path / "state.json"
    good = state.read_text(encoding="utf-8")
    state.write_text(text, encoding="utf-8")
    before = tiny.snapshot()
    try:
        tiny.run(playbook, matcha_confirm=True).failed(sentence)
        assert tiny.snapshot() == before
    finally:
        state.write_text(good, encoding="utf-8")


def test_a_recorded_port_that_somebody_took(tiny: Deployment) -> None:
    good = (tiny.path / "state.json").read_text(encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        state = json.loads(good)
        # As if the stack had a server.
        state["stack"] = {"name": "only-chroma", "components": ["chroma"]}
        state["ports"] = {"chroma": {"http": stranger.getsockname()[1]}}
        (tiny.path / "state.json").write_text(json.dumps(state), encoding="utf-8")
        before = tiny.snapshot()
        try:
            tiny.run("provision").failed(f"is taken by process {os.getpid()}", "matcha_chroma_port")
            assert tiny.snapshot() == before
        finally:
            (tiny.path / "state.json").write_text(good, encoding="utf-8")


def change_attempts() -> dict[str, tuple[str, list[str]]]:
    return {
        "another name": ("provision", []),
        "--tags": ("provision", ["--tags", "zenml"]),
        "--tags of nobody": ("provision", ["--tags", "nobody"]),
        "--limit": ("provision", ["--limit", "localhost"]),
        "--start-at-task": ("provision", ["--start-at-task", "matcha.mlops.stack : Make a host of each component"]),
        "check mode": ("provision", ["--check"]),
        "verify": ("verify", []),
        "stop": ("stop", []),
        "destroy": ("destroy", ["-e", "matcha_confirm=true"]),
    }


@pytest.mark.parametrize("attempt", change_attempts())
def test_a_stack_is_not_changed(tiny: Deployment, attempt: str) -> None:
    playbook, arguments = change_attempts()[attempt]
    before = tiny.snapshot()
    result = tiny.run(playbook, *arguments, matcha_stack="llm")
    assert tiny.snapshot() == before
    if "--start-at-task" in arguments:
        assert "changed=1" not in result.output
    else:
        result.failed("has the stack 'tiny' (dvc)", "asked for was 'llm' (zenml, mlflow, seldon, dvc, chroma)")


def test_skipping_the_guard_skips_the_work(tiny: Deployment) -> None:
    before = tiny.snapshot()
    tiny.run("provision", "--skip-tags", "always", matcha_stack="llm")
    assert tiny.snapshot() == before


def test_the_same_name_with_other_components(tiny: Deployment) -> None:
    before = tiny.snapshot()
    result = tiny.run("provision", matcha_stack="tiny", matcha_stacks={"tiny": ["dvc", "chroma"]})
    result.failed("has the stack 'tiny' (dvc)", "asked for was 'tiny' (dvc, chroma)")
    assert tiny.snapshot() == before


@pytest.mark.parametrize("role", ["zenml", "mlflow", "seldon", "dvc", "chroma"])
def test_a_role_alone_is_guarded(tiny: Deployment, role: str, tmp_path: Path) -> None:
    playbook = tmp_path / "own.yml"
    playbook.write_text(
        f"- hosts: localhost\n  gather_facts: false\n  roles: [matcha.mlops.{role}]\n", encoding="utf-8"
    )
    before = tiny.snapshot()
    tiny.run(str(playbook), matcha_stack="llm").failed("has the stack 'tiny' (dvc)", "asked for was 'llm'")
    assert tiny.snapshot() == before


def test_an_unset_stack_is_the_recorded_one(tiny: Deployment) -> None:
    assert not tiny.run("provision").ok().changed
    assert not tiny.run("provision", matcha_stack="").ok().changed


def test_survey_answers_may_be_empty(tiny: Deployment) -> None:
    empty = ("stack", "python", "lock_timeout", "mlflow_port", "dvc_version", "confirm", "force")
    assert not tiny.run("provision", **{f"matcha_{name}": "" for name in empty}).ok().changed


def test_limit_cannot_leave_components_out_silently(tiny: Deployment) -> None:
    tiny.run("provision", "--limit", "localhost").failed("Not done: dvc", "--limit left a component out")


def test_a_version_without_its_lock_file(tiny: Deployment) -> None:
    before = tiny.snapshot()
    tiny.run("provision", matcha_dvc_version="3.0.0").failed("matcha_dvc_version is 3.0.0", "matcha_dvc_requirements")
    assert tiny.snapshot() == before


def test_destroy_without_a_terminal_refuses(tiny: Deployment) -> None:
    before = tiny.snapshot()
    tiny.run("destroy").failed("Nothing was destroyed", "matcha_confirm=true")
    assert tiny.snapshot() == before


# Runs a command on a terminal of its own and types a word when it is asked; again, if it was typed too early.
TALK = """\
import os, pty, select, sys
pid, terminal = pty.fork()
if not pid:
    os.execv(sys.argv[2], sys.argv[2:])
said = b""
while b"to go on" not in said:
    said += os.read(terminal, 1000)
while not select.select([terminal], [], [], 1)[0]:
    os.write(terminal, sys.argv[1].encode() + b"\\r")
try:
    while os.read(terminal, 1000):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_destroy_asks_and_takes_the_prefix_for_a_yes(deployment: Deployment) -> None:
    deployment.run("provision").ok()
    for word, gone in (("yes", False), (deployment.prefix, True)):
        command = [sys.executable, "-c", TALK, word, *deployment.command("destroy")]
        assert (subprocess.run(command, cwd=ROOT, check=False).returncode == 0) is gone
        assert deployment.path.exists() is not gone


def test_destroying_nothing_is_no_failure(deployment: Deployment) -> None:
    assert not deployment.run("destroy").ok().changed
    assert not list(deployment.home.iterdir())


def test_check_mode_on_an_empty_machine_says_what_would_be_made(deployment: Deployment) -> None:
    shutil.rmtree(deployment.home)
    result = deployment.run("provision", "--check", "--diff", matcha_stack="llm").ok()
    assert not deployment.home.exists()
    deployment.home.mkdir()
    assert result.changed == {
        "localhost",
        *(f"matcha-{name}" for name in ("zenml", "mlflow", "seldon", "dvc", "chroma")),
    }
    for sign in ("+++ after: config/mlflow/basic_auth.ini", "environments/zenml-0.98.0-", "experiment_tracker matcha"):
        assert sign in result.output
