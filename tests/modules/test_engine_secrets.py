# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret leaves the engine: not by a result, a difference, a warning, an error or a log.

Ansible blanks out the options that are secret wherever they turn up. So the engine is asked here without it.
"""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure.arm import Arm
from ansible_collections.matcha.mlops.plugins.module_utils.azure.auth import Auth
from ansible_collections.matcha.mlops.plugins.module_utils.azure.converge import converge
from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.key_vault_secret import KeyVaultSecret
from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.mysql import MysqlFlexibleServer
from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from modules.cases import CLUSTER, GROUP
from modules.harness import ModuleError, run_module
from modules.meddling import Meddler
from simulator.arm import Answer

if TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.matcha.mlops.plugins.module_utils.azure.kind import Kind
    from modules.conftest import Azure

OLD, NEW = "Sesame-0ld-4711", "Sesame-n3w-4712"
SERVER = {
    "resource_group": "tea",
    "name": "tea-tables",
    "location": "westeurope",
    "sku": {"name": "Standard_D2ds_v4", "tier": "GeneralPurpose"},
    "administrator_login": "brewer",
    "version": "8.4",
}


class Told:
    """All that the engine says, as one text."""

    def __init__(self, log: pytest.LogCaptureFixture) -> None:
        self._log = log
        self._said: list[str] = []

    def run(self, kind: Kind, *, check_mode: bool = False, **params: Any) -> Any:
        arm = Arm(Auth.of({}), 60)
        options = {**dict.fromkeys(kind.options), "state": "present", "wait": True, **params}
        try:
            outcome = converge(kind, arm, options, check_mode)
        except MatchaError as error:
            self._said += [str(error), json.dumps(error.details), repr(error)]
            raise
        shown = None if outcome.resource is None else kind.shown(outcome.resource)
        self._said += [json.dumps([outcome.before, outcome.after, shown]), *arm.warnings]
        return outcome

    @property
    def text(self) -> str:
        return "\n".join([*self._said, self._log.text])


@pytest.fixture
def told(azure: Azure, caplog: pytest.LogCaptureFixture) -> Told:  # noqa: ARG001
    caplog.set_level(logging.DEBUG)
    run_module("resource_group", **GROUP)
    return Told(caplog)


def test_a_servers_password(azure: Azure, told: Told) -> None:
    kind = MysqlFlexibleServer()
    told.run(kind, check_mode=True, **SERVER, administrator_login_password=OLD)
    made = told.run(kind, **SERVER, administrator_login_password=OLD)
    assert made.after["properties"]["administratorLoginPassword"] == "(new)"
    sent = [each["body"]["properties"] for each in azure.log() if each["method"] == "PUT" and "DBfor" in each["path"]]
    assert sent[0]["administratorLoginPassword"] == OLD
    again = told.run(kind, **SERVER, administrator_login_password=NEW, tags={"team": "tea"})
    assert again.after["tags"] == {"team": "tea"}
    # Azure does not tell it, and if it ever did, no result would.
    assert kind.shown({"properties": {"administratorLoginPassword": OLD}}) == {"properties": {}}
    assert "Sesame" not in told.text


def test_a_servers_password_that_azure_refuses(azure: Azure, told: Told) -> None:
    error = {"code": "InvalidParameterValue", "message": "The password is not strong enough."}
    Meddler(azure).always("PUT", "flexibleServers/tea-tables", lambda: Answer(400, {"error": error}))
    with pytest.raises(MatchaError, match="not strong enough"):
        told.run(MysqlFlexibleServer(), **SERVER, administrator_login_password=OLD)
    assert "Sesame" not in told.text


@pytest.fixture
def vault(azure: Azure, told: Told) -> dict[str, Any]:
    """Return the options that name a vault's secret, which the owner may read and write."""
    del told
    made = run_module("key_vault", resource_group="tea", name="tea-chest", location="westeurope")
    azure.simulator.access.grant(azure.simulator.owner, "Key Vault Secrets Officer", made["resource"]["id"])
    return {"vault_name": "tea-chest", "name": "recipe", "append_tags": True}


def test_a_vaults_secret(told: Told, vault: dict[str, Any], tmp_path: Path) -> None:
    kind = KeyVaultSecret()
    told.run(kind, check_mode=True, **vault, value=OLD)
    made = told.run(kind, **vault, value=OLD)
    assert made.after["value"] == "(new)"
    path = tmp_path / "recipe"
    path.write_text(NEW, encoding="utf-8")
    told.run(kind, check_mode=True, **vault, value_file=str(path))
    changed = told.run(kind, **vault, value_file=str(path))
    assert (changed.before["value"], changed.after["value"]) == ("(old)", "(new)")
    # The task does not name the value, and Azure tells it.
    tagged = told.run(kind, **vault, tags={"team": "tea"})
    assert tagged.changed
    assert "Sesame" not in told.text


@pytest.mark.usefixtures("told")
def test_a_value_that_only_a_file_holds_is_in_no_result(vault: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "recipe"
    path.write_text(NEW, encoding="utf-8")
    vault = {key: value for key, value in vault.items() if key != "append_tags"}
    results = [
        run_module("key_vault_secret", **vault, value_file=str(path)),
        run_module("key_vault_secret", **vault, tags={"team": "tea"}),
        run_module("key_vault_secret_info", **vault),
        run_module("key_vault_secret", **vault, state="absent"),
    ]
    assert "Sesame" not in json.dumps(results)


def test_the_credential_of_the_environment(
    azure: Azure, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = os.environ["AZURE_CLIENT_SECRET"]
    results = [run_module("resource_group", **GROUP), run_module("aks_cluster", **CLUSTER, wait=False)]
    azure.simulator.faults.add("throttled", method="GET", options={"retry_after": 10**9})
    with pytest.raises(ModuleError) as error:
        run_module("resource_group", **GROUP)
    results.append(dict(error.value.result))
    printed = capsys.readouterr()
    everything = json.dumps(results) + caplog.text + printed.out + printed.err
    assert secret not in everything
    # Nor is what it was changed for.
    assert "eyJ" not in everything
