# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment on Azure from its beginning to its end: state, lock, guard, record and outputs, by the role `stack`."""

from __future__ import annotations

import json
import os
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest
from deployments import wait_until

from ansible_collections.matcha.mlops.plugins.module_utils.stack.lease import LeaseLock
from modules.deploying import ACCOUNT, BEGIN, BOX, END, GROUP, RECORD, REMOTE, Site, ended, stack, task

if TYPE_CHECKING:
    from pathlib import Path

    from modules.conftest import Azure

GROUP_PATH = f"/resourceGroups/{GROUP}"
ACCOUNT_PATH = f"{GROUP_PATH}/providers/Microsoft.Storage/storageAccounts/{ACCOUNT}"
WORK = task("stack_record", **RECORD)


@pytest.fixture
def site(azure: Azure, tmp_path: Path) -> Site:
    """Return a machine from which nothing has been deployed yet."""
    return Site(azure, tmp_path / "machine")


@pytest.fixture
def deployed(site: Site) -> Site:
    """Return a machine from which a stack was deployed."""
    site.deploy(stack="tiny")
    site.azure.forget()
    return site


@pytest.fixture
def hold(tmp_path: Path) -> dict[str, Any]:
    """Return a task that waits until a test says `go`."""
    return {"name": "Hold", "ansible.builtin.wait_for": {"path": str(tmp_path / "go"), "timeout": 300}}


def tags(site: Site, path: str) -> dict[str, str]:
    """Return the tags of a resource."""
    found = site.document(path)
    assert found
    return dict(found.get("tags") or {})


def arm_writes(site: Site) -> list[str]:
    """Return the writes to Azure's control plane."""
    return [each for each in site.azure.writes() if "/subscriptions/" in each]


def requests(site: Site) -> list[str]:
    """Return the requests, but for what keeps the lease."""
    return [f"{each['method']} {each['path']}" for each in site.azure.since() if each["query"].get("comp") != "lease"]


def test_from_nothing_and_again(site: Site) -> None:
    tasks = [BEGIN, site.note("matcha_deployment"), WORK, END, stack("outputs")]
    first = site.run(tasks, matcha_stack="tiny", matcha_tags={"team": "tea"}).ok()
    facts, state = site.noted["matcha_deployment"], site.state
    uuid, subscription = state["matcha_uuid"], site.azure.simulator.subscription
    wanted = {"matcha-deployment": uuid, "matcha-stack": "tiny", "matcha-prefix": "tea", "team": "tea"}
    assert facts == {
        "exists": False,
        "path": str(site.path),
        "run": facts["run"],
        "target": "azure",
        "prefix": "tea",
        "home": str(site.folder / "home"),
        "python": facts["python"],
        "stack": "tiny",
        "components": ["dvc"],
        "selected": ["dvc"],
        "matcha_uuid": uuid,
        "subscription_id": subscription,
        "resource_group": GROUP,
        "resource_group_created": True,
        "location": "westeurope",
        "tags": wanted,
        "resources": [],
        "versions": {},
        "recorded": {},
        "ports": {},
        "environments": {},
    }
    assert state["stack"] == {"name": "tiny", "components": ["dvc"]}
    assert state["components"] == {"dvc": {"version": "3.0", "outputs": REMOTE}}
    assert state["resources"] == [BOX]
    assert tags(site, GROUP_PATH) == wanted
    assert tags(site, ACCOUNT_PATH) == wanted
    account = (site.document(ACCOUNT_PATH) or {})["properties"]
    assert not account["allowSharedKeyAccess"]
    assert not account["allowBlobPublicAccess"]
    assert account["minimumTlsVersion"] == "TLS1_2"
    assert "resource-group-name  tea-resources" in first.output
    assert f"matcha_uuid  {uuid}" in first.output
    # Nothing of the run is left on this machine, and everybody may begin.
    assert not site.path.exists()
    assert LeaseLock(site.path, site.blob()).holder() is None
    site.azure.forget()
    again = site.run([BEGIN, WORK, END, stack("outputs")], matcha_location="").ok()
    assert not again.changed
    assert site.state == state
    # Nothing is written to the control plane, and to the blob only who holds the lease.
    assert arm_writes(site) == []
    parts = {each["query"].get("comp") for each in site.azure.since() if each["method"] == "PUT"}
    assert parts <= {"lease", "metadata"}


def test_the_roles_of_one_run_begin_again_without_a_request(deployed: Site) -> None:
    deployed.run([BEGIN, deployed.note("matcha_deployment"), END]).ok()
    once, facts = requests(deployed), deployed.noted["matcha_deployment"]
    deployed.azure.forget()
    # The role runs again on each component's host.
    begin = {
        "target": "azure",
        "prefix": "tea",
        "home": str(deployed.folder / "home"),
        "stacks": {"tiny": ["dvc"], "small": ["dvc", "chroma"]},
        "components": ["dvc", "chroma"],
        "purpose": "test",
    }
    again = task("stack_begin", **begin)
    refused = {**task("stack_begin", **begin, stack="small"), "register": "other", "failed_when": "other is not failed"}
    tasks = [BEGIN, again, again, deployed.note("matcha_deployment"), refused, deployed.note("other"), END]
    deployed.run([*tasks[:3], tasks[3], END]).ok()
    assert {**deployed.noted["matcha_deployment"], "run": ""} == {**facts, "run": ""}
    deployed.azure.forget()
    deployed.run([*tasks[:3], *tasks[4:]]).ok()
    assert "a stack cannot be changed" in deployed.noted["other"]["msg"]
    assert requests(deployed) == once


def test_secrets_are_shown_to_who_asks_and_nowhere_else(site: Site) -> None:
    vault, scope = {"vault_name": "kv-tea"}, "{{ vault.resource.id }}"
    principal = site.azure.simulator.owner.object_id
    place = {"resource_group": GROUP, "location": "westeurope", "tags": "{{ matcha_deployment.tags }}"}
    role = {"scope": scope, "role_definition": "Key Vault Secrets Officer", "principal_id": principal}
    properties = {"server-url": "http://tea", "server-password": {"secret": "word"}}
    pipeline = {"pipeline": {"flavor": "zenml", "properties": properties}}
    copies = site.path / "secrets"
    shown = site.folder / "outputs.json"
    tasks = [
        BEGIN,
        {**task("key_vault", **place, name="kv-tea"), "register": "vault"},
        task("role_assignment", **role),
        task("vault_secrets", **vault, names=["word"]),
        {"name": "Look", "ansible.builtin.stat": {"path": str(copies / "word")}, "register": "copy"},
        {"name": "See", "ansible.builtin.assert": {"that": "copy.stat.mode == '0600'"}},
        task("stack_record", component="dvc", version="3.0", outputs=pipeline),
        END,
        stack("outputs", matcha_show_sensitive="true", matcha_output="json", matcha_output_file=str(shown)),
    ]
    said = site.run(tasks, "-vvv", "--diff", matcha_stack="tiny").ok()
    found = json.loads(shown.read_text(encoding="utf-8"))["pipeline"]
    secret = found.pop("server-password")
    assert found == {"flavor": "zenml", "server-url": "http://tea"}
    assert len(secret) >= 43
    assert not copies.exists()
    for text in (said.output, json.dumps(site.state)):
        assert secret not in text
        assert os.environ["AZURE_CLIENT_SECRET"] not in text
    # What is not asked for is not read.
    site.azure.forget()
    options = {"target": "azure", "prefix": "tea", "home": str(site.folder / "home"), "show_sensitive": "true"}
    site.act("stack_outputs", **options, resource="pipeline", property="server-url")
    assert [each for each in site.azure.since() if "vault" in each["host"]] == []


def test_check_mode_on_an_empty_subscription_is_a_plan(site: Site) -> None:
    secrets = task("vault_secrets", vault_name="kv-tea", names=["word"])
    tasks = [BEGIN, site.note("matcha_deployment"), secrets, WORK, END]
    plan = site.run(tasks, "--check", "--diff", matcha_stack="tiny").ok()
    facts = site.noted["matcha_deployment"]
    assert plan.changed
    assert re.search(r"^\+ *.?location.?: .?westeurope", plan.output, re.MULTILINE)
    assert re.search(r"^\+ *.?resource_group.?: .?tea-resources", plan.output, re.MULTILINE)
    assert (facts["exists"], facts["run"], facts["location"]) == (False, "unlocked", "westeurope")
    assert facts["matcha_uuid"] == facts["tags"]["matcha-deployment"] == "00000000-0000-0000-0000-000000000000"
    assert site.azure.writes() == []
    assert not (site.folder / "home").exists()


def test_of_two_first_runs_one_wins(azure: Azure, tmp_path: Path, hold: dict[str, Any]) -> None:
    one, two = Site(azure, tmp_path / "one"), Site(azure, tmp_path / "two")
    # Whoever wins waits for the other one to have lost.
    processes = [
        each.start([BEGIN, hold, WORK, END], matcha_stack=name) for each, name in ((one, "tiny"), (two, "small"))
    ]
    wait_until(lambda: any(each.poll() is not None for each in processes), "one has lost", 300)
    (tmp_path / "go").touch()
    ends = [ended(each) for each in processes]
    (lost,) = [each for each in ends if each.status]
    lost.failed("The deployment is locked by", "for 'test'")
    winner, loser = ("tiny", "small") if ends[0].status == 0 else ("small", "tiny")
    assert one.state["stack"]["name"] == tags(one, GROUP_PATH)["matcha-stack"] == winner
    assert tags(one, GROUP_PATH)["matcha-deployment"] == one.state["matcha_uuid"]
    # The other one's stack is refused from now on.
    assert "a stack cannot be changed" in one.begin(stack=loser)["msg"]
    assert not one.path.exists()
    assert not two.path.exists()


def test_who_waits_goes_on_when_the_other_ends(azure: Azure, tmp_path: Path, hold: dict[str, Any]) -> None:
    one, two = Site(azure, tmp_path / "one"), Site(azure, tmp_path / "two")
    first = one.start([BEGIN, hold, WORK, END], matcha_stack="tiny")
    wait_until((one.path / "run.json").exists, "the first has begun", 300)
    second = two.start([BEGIN, END], matcha_lock_timeout="300")
    wait_until(lambda: [each for each in azure.since() if each["status"] == 409], "the second waits", 300)
    (tmp_path / "go").touch()
    ended(first).ok()
    said = ended(second).ok()
    assert "waiting for the lock of" in said.output
    assert not said.changed


def test_a_killed_controller_frees_the_lock_and_leaves_no_secret(deployed: Site, hold: dict[str, Any]) -> None:
    secret = deployed.path / "secrets" / "word"
    plant = {"name": "Plant", "ansible.builtin.copy": {"content": "sesame", "dest": str(secret), "mode": "0600"}}
    folder = {
        "name": "Make",
        "ansible.builtin.file": {"path": str(secret.parent), "state": "directory", "mode": "0700"},
    }
    process = deployed.start([BEGIN, folder, plant, hold, END])
    wait_until(secret.exists, "the secret is there", 300)
    place = {"target": "azure", "prefix": "tea", "home": str(deployed.folder / "home")}
    status = deployed.act("stack_status", **place)["status"]
    assert f"(process {process.pid})" in status["lock"]
    assert (status["target"], status["stack"]["name"], status["components"]["dvc"]["recorded"]) == (
        "azure",
        "tiny",
        True,
    )
    assert "which is alive: wait until it ends" in deployed.act("stack_unlock", **place)["msg"]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    lock = LeaseLock(deployed.path, deployed.blob())
    wait_until(lambda: lock.holder() is None, "the lease is free")
    assert not secret.exists()
    assert not deployed.deploy()["changed"]


def test_unlock_by_force(azure: Azure, tmp_path: Path, hold: dict[str, Any]) -> None:
    one, two = Site(azure, tmp_path / "one"), Site(azure, tmp_path / "two")
    place = {"target": "azure", "prefix": "tea", "home": str(two.folder / "home")}
    # Before anything is made there is nothing to unlock.
    assert two.act("stack_unlock", **place) == {"changed": False, "holder": None}
    process = one.start([BEGIN, hold, WORK, END], matcha_stack="tiny")
    wait_until((one.path / "run.json").exists, "the first has begun", 300)
    # From another machine.
    assert two.act("stack_unlock", **place, force="true")["changed"]
    wait_until(lambda: not (one.path / "run.json").exists(), "the first knows")
    (tmp_path / "go").touch()
    ended(process).failed("is no deployment's folder any more: run the playbook again")
