# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole stack `llm`: converged, used, mended, restarted, asked, rotated."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from deployments import COMPONENTS, ROOT, SERVERS, python_of, wait_until

if TYPE_CHECKING:
    import random

    from deployments import Deployment

SCRIPTS = ROOT / "tests" / "integration"


def data(llm: Deployment, action: str) -> None:
    """Make things as clients do, or check that they are there."""
    outputs = llm.home / "outputs.json"
    llm.run("outputs", matcha_output="json", matcha_show_sensitive=True, matcha_output_file=str(outputs)).ok()
    run_script(llm, "data.py", action, str(outputs), str(llm.home))


def run_script(llm: Deployment, name: str, *arguments: str) -> None:
    """Run a script of this folder with the clients' Python."""
    command = [python_of(llm, "client"), str(SCRIPTS / name), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_second_run_changes_nothing(llm: Deployment) -> None:
    llm.assert_healthy(*COMPONENTS)
    before = llm.snapshot()
    assert not llm.run("provision").ok().changed
    assert not llm.run("provision", matcha_stack="llm").ok().changed
    assert llm.snapshot() == before


def test_another_stack_is_refused_and_the_deployment_works_on(llm: Deployment, tmp_path: Path) -> None:
    before = llm.snapshot()
    sentence = "asked for was 'default' (zenml, mlflow, seldon, dvc)"
    for arguments in ([], ["--tags", "zenml"], ["--limit", "localhost"]):
        llm.run("provision", *arguments, matcha_stack="default").failed("has the stack 'llm'", sentence)
    role = tmp_path / "role.yml"
    role.write_text("- hosts: localhost\n  gather_facts: false\n  roles: [matcha.mlops.zenml]\n", encoding="utf-8")
    llm.run(str(role), matcha_stack="default").failed("has the stack 'llm'", sentence)
    assert llm.snapshot() == before


def test_verify(llm: Deployment, tmp_path: Path) -> None:
    result = llm.run("verify").ok()
    for step in ("load the model back", "predict", "find the nearest vector", "pull it again", "run a pipeline of two"):
        assert step in result.output
    # It leaves nothing behind, and a second one neither.
    data_before = tree(llm)
    assert not llm.run("verify").ok().changed
    assert tree(llm) == data_before
    # Two tidy up in the same moment.
    run_script(llm, "tidying.py", str(tmp_path))


def tree(llm: Deployment) -> set[str]:
    """Return the files of all data, without those that SQLite makes as it goes."""
    top = llm.path / "data"
    return {
        str(path.relative_to(top)) for path in top.rglob("*") if not path.name.endswith(("-wal", "-shm", "-journal"))
    }


def test_data_survives_killed_processes_and_stop_and_start(llm: Deployment) -> None:
    llm.run("verify").ok()
    data(llm, "make")
    # Every server dies, and comes back.
    for name, process in llm.servers().items():
        process.send_signal(signal.SIGKILL)
        wait_until(lambda name=name, old=process: llm.servers().get(name, old) != old, f"{name} is started again")
    llm.run("start").ok()
    llm.assert_healthy(*COMPONENTS)
    data(llm, "check")
    # All of it stops, and starts.
    llm.run("stop").ok()
    assert not llm.processes()
    assert not llm.run("stop").ok().changed
    status = llm.status()
    assert not status["healthy"]
    assert {name for name, part in status["components"].items() if part["running"] is False} == set(SERVERS)
    llm.run("start").ok()
    assert not llm.run("start").ok().changed
    llm.assert_healthy(*COMPONENTS)
    data(llm, "check")
    assert not llm.run("provision").ok().changed
    data(llm, "remove")


def test_a_killed_supervisor_is_made_up_for(llm: Deployment) -> None:
    assert llm.supervisor
    llm.supervisor.kill()
    llm.run("provision").ok()
    llm.assert_healthy(*COMPONENTS)


def stop_service(llm: Deployment, name: str) -> None:
    from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder
    from ansible_collections.matcha.mlops.plugins.module_utils.local.supervisor import Supervisor

    Supervisor(Folder(llm.path)).halt(name)


def remove_environment(llm: Deployment, name: str) -> None:
    (path,) = (llm.path / "environments").glob(f"{name}-*")
    shutil.rmtree(path)


def change_environment(llm: Deployment, name: str) -> None:
    (path,) = (llm.path / "environments").glob(f"{name}-*/lib/python*/site-packages/packaging-*.dist-info")
    shutil.rmtree(path)


def edit_configuration(llm: Deployment, name: str) -> None:
    file = llm.path / "config" / name / "run"
    file.write_text(file.read_text(encoding="utf-8").replace("exec ", "export BY_HAND=1\nexec "), encoding="utf-8")


BREAKS = [stop_service, remove_environment, change_environment, edit_configuration]


@pytest.mark.parametrize("break_it", BREAKS)
def test_one_broken_component_is_mended_alone(llm: Deployment, break_it: Any, rng: random.Random, full: bool) -> None:
    for name in SERVERS if full else [rng.choice(SERVERS)]:
        break_it(llm, name)
        status = llm.status()["components"]
        assert bool(status[name]["drift"]) or not status[name]["running"] or break_it is change_environment
        before, running = llm.snapshot(), {key: value.pid for key, value in llm.servers().items()}
        planned = llm.run("provision", "--check", "--diff").ok()
        assert planned.changed == {f"matcha-{name}"}, planned.output
        assert llm.snapshot() == before
        done = llm.run("provision").ok()
        assert done.changed == {f"matcha-{name}"}, done.output
        assert not llm.run("provision").ok().changed
        llm.assert_healthy(*COMPONENTS)
        # The others were not even restarted.
        now = {key: value.pid for key, value in llm.servers().items()}
        assert {key for key in now if now[key] == running.get(key)} == set(SERVERS) - {name}


def test_a_component_that_fails_fails_the_run_alone(deployment: Deployment) -> None:
    # A lock file that names a package that does not exist.
    wrong = deployment.home / "wrong.txt"
    wrong.write_text("dvc==3.67.1 \\\n    --hash=sha256:" + "0" * 64 + "\n", encoding="utf-8")
    result = deployment.run("provision", matcha_stack="small", matcha_dvc_requirements=str(wrong))
    result.failed("could not be installed", "Not done: dvc. Done: chroma.")
    status = deployment.status()
    assert status["components"]["chroma"]["healthy"]
    assert not status["components"]["dvc"]["recorded"]
    # The way back is the same command.
    assert deployment.run("provision", matcha_stack="small").ok().changed == {"matcha-dvc"}
    deployment.assert_healthy("dvc", "chroma")


def test_a_server_that_does_not_start_says_why(deployment: Deployment) -> None:
    deployment.stack = "only-chroma"
    deployment.run("provision").ok()
    port = deployment.port("chroma")
    deployment.run("stop").ok()
    # Its data is a file all of a sudden.
    shutil.move(deployment.path / "data" / "chroma" / "chroma.sqlite3", deployment.path / "data" / "kept")
    (deployment.path / "data" / "chroma" / "chroma.sqlite3").mkdir()
    deployment.run("provision").failed("chroma did not become healthy", "logs/chroma.log")
    (deployment.path / "data" / "chroma" / "chroma.sqlite3").rmdir()
    shutil.move(deployment.path / "data" / "kept", deployment.path / "data" / "chroma" / "chroma.sqlite3")
    deployment.run("provision").ok()
    deployment.assert_healthy("chroma")
    assert deployment.port("chroma") == port


def test_outputs(llm: Deployment, tmp_path: Path) -> None:
    text = llm.run("outputs").ok().output
    assert llm.url("mlflow") in text
    assert "********" in text
    for secret in llm.secrets.values():
        assert secret not in text
    file = tmp_path / "outputs"
    asked = {"matcha_output_file": str(file), "matcha_output": "json"}
    llm.run("outputs", **asked).ok()
    found = json.loads(file.read_text(encoding="utf-8"))
    assert set(found) == {
        "cloud",
        "data-version-control",
        "experiment-tracker",
        "id",
        "model-deployer",
        "orchestrator",
        "pipeline",
        "vector-database",
    }
    assert found["id"]["matcha_uuid"] == llm.state["matcha_uuid"]
    assert found["experiment-tracker"]["password"] == "********"
    llm.run("outputs", **asked, matcha_show_sensitive=True).ok()
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text(encoding="utf-8"))["experiment-tracker"]["password"] == llm.secret(
        "mlflow-password"
    )
    one = {"matcha_resource": "experiment-tracker", "matcha_property": "tracking-url", "matcha_output": "text"}
    llm.run("outputs", **{**asked, **one}).ok()
    assert file.read_text(encoding="utf-8") == llm.url("mlflow") + "\n"
    query = {"matcha_query": '*."server-url" | sort(@)', "matcha_output": "yaml"}
    llm.run("outputs", **{**asked, **query}).ok()
    assert file.read_text(encoding="utf-8") == "".join(
        f"- {url}\n" for url in sorted([llm.url("zenml"), llm.url("chroma")])
    )
    llm.run("outputs", matcha_resource="pipelin").failed("did you mean 'pipeline'?")
    llm.run("outputs", matcha_resource="pipeline", matcha_property="server-urn").failed("did you mean 'server-url'?")
    llm.run("outputs", matcha_output="xml").failed("There are: json, text, yaml")
    llm.run("outputs", matcha_query="[").failed("not a valid JMESPath expression")


def test_outputs_and_status_take_no_lock_and_need_no_right_to_write(llm: Deployment) -> None:
    lock = llm.path / "lock.json"
    assert not lock.exists()
    before = {str(path): path.lstat().st_mtime_ns for path in [llm.path, *llm.path.iterdir()]}
    llm.run("outputs").ok()
    llm.run("status").ok()
    assert {str(path): path.lstat().st_mtime_ns for path in [llm.path, *llm.path.iterdir()]} == before


def test_the_lookup_gives_the_same_values(llm: Deployment, tmp_path: Path) -> None:
    playbook = tmp_path / "lookup.yml"
    playbook.write_text(
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n"
        "    - ansible.builtin.copy:\n        mode: '0600'\n        dest: '{{ playbook_dir }}/found.json'\n"
        "        content: \"{{ {'url': lookup('matcha.mlops.output', 'pipeline', 'server-url'),"
        " 'masked': lookup('matcha.mlops.output', 'pipeline').get('server-password'),"
        " 'key': lookup('matcha.mlops.output', 'pipeline', 'server-api-key', show_sensitive=true)} | to_json }}\"\n"
        "      no_log: true\n",
        encoding="utf-8",
    )
    llm.run(str(playbook)).ok()
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found == {"url": llm.url("zenml"), "masked": "********", "key": llm.secret("zenml-api-key")}


def test_passwords_are_rotated_by_asking(llm: Deployment) -> None:
    from ansible_collections.matcha.mlops.plugins.module_utils import mlflow, zenml

    old = llm.secrets
    llm.run("provision", matcha_rotate_passwords=["mlflow", "zenml"]).ok()
    assert not mlflow.password_works(llm.url("mlflow"), "admin", old["mlflow-password"])
    assert mlflow.password_works(llm.url("mlflow"), "admin", llm.secret("mlflow-password"))
    assert not zenml.password_works(llm.url("zenml"), "admin", old["zenml-password"])
    assert zenml.password_works(llm.url("zenml"), "admin", llm.secret("zenml-password"))
    assert set(old) == set(llm.secrets)
    # ZenML tracks in MLflow with the new one.
    assert not llm.run("provision").ok().changed
    llm.run("verify").ok()


def test_a_port_is_kept_and_can_be_chosen(llm: Deployment) -> None:
    from ansible_collections.matcha.mlops.plugins.module_utils.local.ports import is_free

    old = llm.port("chroma")
    new = next(port for port in range(19000, 20000) if is_free(port))
    assert llm.run("provision", matcha_chroma_port=new).ok().changed == {"localhost", "matcha-chroma"}
    assert llm.port("chroma") == new
    llm.assert_healthy(*COMPONENTS)
    assert not llm.run("provision").ok().changed
    llm.run("provision", matcha_chroma_port=old).ok()


def test_the_processes_are_their_owners_alone(llm: Deployment) -> None:
    for process in llm.processes():
        assert process.username() == next(iter(llm.processes())).username()
    assert (llm.path / "run" / "supervisor.sock").stat().st_mode & 0o077 == 0
    # The folder itself lets nobody in; and still each file in it is private. What clients put there is theirs.
    open_to_others = [
        str(path)
        for path in [llm.path, *llm.path.rglob("*")]
        if not {"environments", "models", "artifacts", "dvc"} & set(path.parts)
        and not path.is_symlink()
        and path.stat().st_mode & 0o077
    ]
    assert not open_to_others
