# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules as a playbook runs them, by the real `ansible-playbook`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from modules.cases import CLUSTER, GROUP

if TYPE_CHECKING:
    from modules.conftest import Azure

ROOT = Path(__file__).resolve().parents[2]
PLANTED = {"password": "Sesame-Passw0rd-4711", "value": "Sesame-value-4712"}


class Playbook:
    """A playbook of one play on a host of its own, for which nobody has set a Python."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.output = ""

    def run(self, tasks: list[dict[str, Any]], *arguments: str, **play: Any) -> dict[str, Any]:
        """Run it to its end; return what the host did, as the recap says it."""
        path, inventory = self._folder / "playbook.yml", self._folder / "hosts.yml"
        inventory.write_text(json.dumps({"all": {"hosts": {"kettle": {"ansible_connection": "local"}}}}))
        path.write_text(json.dumps([{"hosts": "kettle", "gather_facts": False, "tasks": tasks, **play}]))
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, path, *arguments],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.output = done.stdout
        assert done.returncode == 0, self.output
        assert "Traceback" not in self.output, self.output
        recap = next(line for line in self.output.splitlines() if line.startswith("kettle ") and " ok=" in line)
        return {key: int(value) for key, value in (each.split("=") for each in recap.split(":")[1].split())}


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    return Playbook(tmp_path)


def task(name: str, /, **options: Any) -> dict[str, Any]:
    return {"name": f"Run {name}", f"matcha.mlops.{name}": options}


def test_check_and_diff_are_the_plan_for_an_empty_subscription(azure: Azure, playbook: Playbook) -> None:
    recap = playbook.run([task("resource_group", **GROUP), task("aks_cluster", **CLUSTER)], "--check", "--diff")
    assert (recap["changed"], recap["failed"]) == (2, 0)
    for line in ("location: westeurope", "kubernetesVersion: .1.36.", "vmSize: Standard_DS3_v2"):
        assert re.search(rf"^\+ +(- )?{line}$", playbook.output, re.MULTILINE), playbook.output
    assert azure.log()
    assert azure.writes() == []
    assert azure.simulator.store.all("Microsoft.Resources/resourceGroups") == []


def test_a_playbook_of_ones_own(azure: Azure, playbook: Playbook, monkeypatch: pytest.MonkeyPatch) -> None:
    brewer = azure.simulator.principals.add_service_principal("brewer", "Sesame-credential-4713")
    for role in ("Contributor", "Key Vault Secrets Officer"):
        azure.simulator.access.grant(brewer, role, f"/subscriptions/{azure.simulator.subscription}")
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    auth = {
        "tenant": azure.simulator.tenant,
        "subscription_id": azure.simulator.subscription,
        "client_id": brewer.app_id,
        "secret": brewer.secret,
    }
    place = {"resource_group": "tea", "location": "westeurope"}
    database = {"administrator_login": "brewer", "administrator_login_password": PLANTED["password"]}
    size = {"sku": {"name": "Standard_B2s", "tier": "Burstable"}}
    refused = {"ignore_errors": True, "register": "refused"}
    lost = {"matcha_deployment": {"path": "/nowhere/matcha", "run": "a-run-that-is-over"}}
    tasks = [
        task("resource_group", **GROUP),
        task("key_vault", **place, name="tea-chest"),
        task("key_vault_secret", vault_name="tea-chest", name="recipe", value=PLANTED["value"]),
        task("key_vault_secret", vault_name="tea-chest", name="recipe", tags={"team": "tea"}),
        task("mysql_flexible_server", **place, name="tea-tables", **database, **size, wait=False),
        {**task("mysql_flexible_server", **{**place, "location": "moon"}, name="x", **database, **size), **refused},
        {"ansible.builtin.assert": {"that": "refused is failed and refused.failure.code == 'InvalidParameterValue'"}},
        {**task("resource_group", **{**GROUP, "name": "cup"}), **refused, "vars": lost},
        {"ansible.builtin.assert": {"that": "'/nowhere/matcha is no deployment' in refused.msg"}},
        {**task("resource_group_info", name="tea"), "register": "found"},
        {"ansible.builtin.assert": {"that": "found.resources | length == 1"}},
    ]
    recap = playbook.run(tasks, "-vvv", "--diff", module_defaults={"group/matcha.mlops.azure": auth})
    assert (recap["changed"], recap["ignored"]) == (5, 2)
    assert {each["principal"] for each in azure.log() if each["principal"]} == {brewer.object_id}
    sent = json.dumps([each["body"] for each in azure.log()])
    for secret in PLANTED.values():
        assert secret in sent
    assert "Sesame" not in playbook.output
