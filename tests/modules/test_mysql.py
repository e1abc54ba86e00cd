# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MySQL servers: what is in them, what only grows, and what a stopped one does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from modules.harness import ModuleError, run_module

if TYPE_CHECKING:
    from pathlib import Path

    from modules.conftest import Azure

PASSWORD = "Earl-Grey-4-two"
SERVER = {"resource_group": "tea", "name": "tea-tables"}
NEW = {
    "location": "westeurope",
    "sku": {"name": "Standard_B1ms", "tier": "Burstable"},
    "administrator_login": "brewer",
    "administrator_login_password": PASSWORD,
}
TYPE = "Microsoft.DBforMySQL/flexibleServers"


def server(**options: Any) -> dict[str, Any]:
    return run_module("mysql_flexible_server", **SERVER, **options)


@pytest.fixture
def running(azure: Azure) -> Azure:
    """Return an Azure with a server."""
    run_module("resource_group", name="tea", location="westeurope")
    server(**NEW)
    return azure


def parts(azure: Azure, kind: str) -> dict[str, Any]:
    return {each["name"]: each for each in azure.simulator.store.all(f"{TYPE}/{kind}")}


def test_a_new_server_is_8_4_and_tells_no_password(azure: Azure) -> None:
    run_module("resource_group", name="tea", location="westeurope")
    results = [
        run_module("mysql_flexible_server", check_mode=True, **SERVER, **NEW),
        server(**NEW),
        server(**{**NEW, "administrator_login_password": f"{PASSWORD}-other", "update_password": "always"}),
    ]
    for result in results:
        result.pop("invocation")
        assert PASSWORD not in json.dumps(result)
        assert result["diff"]["after"]["properties"]["administratorLoginPassword"] == "(new)"
    assert results[1]["resource"]["properties"]["version"] == "8.4"
    assert not server(**{**NEW, "administrator_login_password": "Another-one-5"})["changed"]
    assert azure.simulator.store.all(TYPE)


@pytest.mark.usefixtures("azure")
def test_what_a_new_server_needs_is_said_in_check_mode_too() -> None:
    run_module("resource_group", name="tea", location="westeurope")
    for check_mode in (True, False):
        with pytest.raises(ModuleError, match="needs location, sku, administrator_login, administrator_login_password"):
            run_module("mysql_flexible_server", check_mode=check_mode, **SERVER)


def test_parts_are_written_one_after_another_and_others_stay(running: Azure) -> None:
    server(databases=[{"name": "other"}], firewall_rules=[rule("office", "192.0.2.1")])
    server(
        databases=[{"name": "zenml", "charset": "utf8mb4"}, {"name": "mlflow"}],
        firewall_rules=[rule("cluster", "192.0.2.7"), {"name": "office", "state": "absent"}],
        configurations={"max_connections": 50, "require_secure_transport": False, "unnamed": None},
    )
    assert set(parts(running, "databases")) == {"other", "zenml", "mlflow"}
    assert set(parts(running, "firewallRules")) == {"cluster"}
    set_there = {name: each["_override"]["value"] for name, each in parts(running, "configurations").items()}
    assert set_there == {"max_connections": "50", "require_secure_transport": "OFF"}


def rule(name: str, address: str) -> dict[str, Any]:
    return {"name": name, "start_ip_address": address, "end_ip_address": address}


def test_half_a_rule_is_refused_before_anything_is_written(running: Azure) -> None:
    running.forget()
    with pytest.raises(ModuleError, match=r"firewall_rules\[cluster\] needs"):
        server(tags={"team": "tea"}, firewall_rules=[{"name": "cluster", "start_ip_address": "192.0.2.7"}])
    assert running.writes() == []


def test_a_stopped_server(running: Azure) -> None:
    server(state="stopped", databases=[{"name": "zenml"}])
    assert set(parts(running, "databases")) == {"zenml"}
    running.forget()
    assert not server(state="stopped", databases=[{"name": "mlflow"}])["changed"]
    for options in ({"databases": [{"name": "mlflow"}]}, {"tags": {"team": "tea"}}):
        with pytest.raises(ModuleError, match=r"is stopped, and Azure changes nothing .* until it runs: set state=st"):
            server(**options)
    assert running.writes() == []
    started = {"state": "started", "tags": {"team": "tea"}, "databases": [{"name": "mlflow"}]}
    assert run_module("mysql_flexible_server", check_mode=True, **SERVER, **started)["changed"]
    assert server(**started)["changed"]
    assert set(parts(running, "databases")) == {"zenml", "mlflow"}
    server(state="stopped")
    assert server(state="absent")["changed"]


def test_a_disk_that_grew_by_itself_stays_as_large_as_it_is(running: Azure) -> None:
    small = {"storage": {"storage_size_gb": 32}}
    server(**small)
    running.simulator.store.all(TYPE)[0]["properties"]["storage"]["storageSizeGB"] = 48
    assert not server(**small)["changed"]
    running.simulator.store.all(TYPE)[0]["properties"]["storage"]["autoGrow"] = "Disabled"
    with pytest.raises(ModuleError, match="a disk only grows"):
        server(**small)


def test_a_server_that_is_not_waited_for(azure: Azure) -> None:
    run_module("resource_group", name="tea", location="westeurope")
    wanted = {**NEW, "databases": [{"name": "zenml"}]}
    assert server(**wanted, wait=False)["changed"]
    assert parts(azure, "databases") == {}
    # It is waited for by the same task later.
    assert server(**wanted)["changed"]
    assert set(parts(azure, "databases")) == {"zenml"}
    assert not server(**wanted)["changed"]


@pytest.mark.usefixtures("running")
def test_an_identity_that_is_not_named_any_more_goes() -> None:
    ids = [
        run_module("user_assigned_identity", resource_group="tea", name=name, location="westeurope")["resource"]["id"]
        for name in ("one", "two")
    ]
    both = {"identity": {"type": "UserAssigned", "user_assigned_identities": ids}}
    assert server(**both)["changed"]
    assert not server(**both)["changed"]
    one = {"identity": {"type": "UserAssigned", "user_assigned_identities": ids[:1]}}
    assert server(**one)["changed"]
    assert not server(**one)["changed"]


@pytest.mark.usefixtures("running")
def test_information() -> None:
    found = run_module("mysql_flexible_server_info", **SERVER)["resources"]
    assert [each["name"] for each in found] == ["tea-tables"]
    assert run_module("mysql_flexible_server_info", resource_group="tea")["resources"] == found
    assert run_module("mysql_flexible_server_info", resource_group="tea", tags={"no": "such"})["resources"] == []


def test_another_password_is_known_by_a_tag(azure: Azure, tmp_path: Path) -> None:
    run_module("resource_group", name="tea", location="westeurope")
    file, marked = tmp_path / "password", {"password_tag": "leaf"}
    new = {**NEW, "administrator_login_password": None, "administrator_login_password_file": str(file)}
    with pytest.raises(ModuleError, match="is not there: write the password into it"):
        server(**new)
    file.write_text(PASSWORD)
    tags = server(**new, **marked, tags={"team": "tea"})["resource"]["tags"]
    assert PASSWORD not in tags["leaf"]

    azure.forget()
    compared = {**new, **marked, "update_password": "on_change"}
    assert not server(**compared)["changed"]
    assert azure.writes() == []
    file.write_text("Another-one-5")
    # Nobody who does not ask for it gets another password.
    assert not server(**new, **marked)["changed"]
    assert server(**compared)["changed"]
    assert "Another-one-5" in json.dumps([each["body"] for each in azure.since()])
    assert not server(**compared)["changed"]
    # Tags of others stay, whoever sets some.
    assert set(server(**compared, tags={"cup": "small"})["resource"]["tags"]) == {"team", "leaf", "cup"}
    assert not server(**{**compared, "append_tags": False, "tags": {"team": "tea", "cup": "small"}})["changed"]


@pytest.mark.usefixtures("azure")
def test_a_password_is_said_once_and_compared_by_something() -> None:
    with pytest.raises(ModuleError, match="must be said once"):
        server(**NEW, administrator_login_password_file="/nowhere")
    with pytest.raises(ModuleError, match="compares by a tag"):
        server(**NEW, update_password="on_change")
