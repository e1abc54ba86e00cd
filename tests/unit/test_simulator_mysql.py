# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's MySQL Flexible Server, by Azure's own SDK and by plain requests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.mysqlflexibleservers import MySQLManagementClient
from simulator_requests import GROUP, GROUP_ID, SUBSCRIPTION, Requests, code, make_group, signed_in

from simulator.simulator import Simulator

if TYPE_CHECKING:
    from simulator.arm import Answer

SERVERS = f"{GROUP_ID}/providers/Microsoft.DBforMySQL/flexibleServers"
SERVER = f"{SERVERS}/matcha-mysql"
SECRET = "Very-Long-Secret-1"
SHARED = Path(__file__).parents[3] / "shared" / "azure"


def body(**properties: Any) -> dict[str, Any]:
    own = {"administratorLogin": "myadmin", "administratorLoginPassword": SECRET, "version": "8.4", **properties}
    sku = {"name": "Standard_D2ds_v4", "tier": "GeneralPurpose"}
    return {"location": "westeurope", "sku": sku, "properties": own}


class Arm(Requests):
    version = "2023-12-30"

    def server(self, **properties: Any) -> Answer:
        return self.call("PUT", SERVER, body(**properties))

    def ready(self, **properties: Any) -> dict[str, Any]:
        assert self.server(**properties).status == 202
        self.simulator.clock.advance(600)
        return self.own()

    def patch(self, **properties: Any) -> Answer:
        return self.call("PATCH", SERVER, {"properties": properties})

    def own(self) -> dict[str, Any]:
        return self.call("GET", SERVER).body["properties"]

    def poll(self, answer: Answer) -> Answer:
        return self.call("GET", answer.headers["Azure-AsyncOperation"].partition(".com")[2].partition("?")[0])

    def parameter(self, name: str, value: str | None = None) -> Any:
        path = f"{SERVER}/configurations/{name}"
        if value is None:
            return self.call("GET", path).body["properties"]
        return self.call("PUT", path, {"properties": {"value": value, "source": "user-override"}})


@pytest.fixture
def arm() -> Arm:
    return Arm()


def test_the_sdk_makes_uses_and_drops_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        signed_in(monkeypatch) as (credential, simulator),
        MySQLManagementClient(credential, simulator.subscription, polling_interval=0) as sdk,
    ):
        free = sdk.check_name_availability.execute("westeurope", {"name": "matcha-mysql"})
        assert free.name_available
        made = sdk.servers.begin_create(GROUP, "matcha-mysql", body()).result()
        assert (made.version, made.state, made.location) == ("8.4", "Ready", "West Europe")
        assert made.administrator_login_password is None
        assert made.fully_qualified_domain_name == "matcha-mysql.mysql.database.azure.com"
        taken = sdk.check_name_availability.execute("westeurope", {"name": "matcha-mysql"})
        assert (taken.name_available, taken.reason) == (False, "AlreadyExists")
        sdk.databases.begin_create_or_update(GROUP, "matcha-mysql", "zenml", {"properties": {}}).result()
        rule = {"properties": {"startIpAddress": "203.0.113.1", "endIpAddress": "203.0.113.1"}}
        sdk.firewall_rules.begin_create_or_update(GROUP, "matcha-mysql", "aks", rule).result()
        assert [one.name for one in sdk.firewall_rules.list_by_server(GROUP, "matcha-mysql")] == ["aks"]
        names = [one.name for one in sdk.databases.list_by_server(GROUP, "matcha-mysql")]
        assert names == ["information_schema", "mysql", "performance_schema", "sys", "zenml"]
        key = "sql_generate_invisible_primary_key"
        assert sdk.configurations.get(GROUP, "matcha-mysql", key).value == "ON"
        sdk.configurations.begin_update(GROUP, "matcha-mysql", key, {"properties": {"value": "OFF"}}).result()
        changed = sdk.configurations.get(GROUP, "matcha-mysql", key)
        assert (changed.value, changed.current_value, changed.source) == ("OFF", "OFF", "user-override")
        sdk.servers.begin_stop(GROUP, "matcha-mysql").result()
        assert sdk.servers.get(GROUP, "matcha-mysql").state == "Stopped"
        with pytest.raises(HttpResponseError) as refused:
            sdk.configurations.get(GROUP, "matcha-mysql", key)
        assert (refused.value.status_code, refused.value.error.code) == (409, "ServerUnavailableForOperation")
        sdk.servers.begin_start(GROUP, "matcha-mysql").result()
        sizes = [
            size.name
            for zone in sdk.location_based_capabilities.list("westeurope")
            for edition in zone.supported_flexible_server_editions
            for version in edition.supported_server_versions
            for size in version.supported_skus
        ]
        assert "Standard_D2ds_v4" in sizes
        sdk.servers.begin_delete(GROUP, "matcha-mysql").result()
        assert list(sdk.servers.list_by_resource_group(GROUP)) == []
        assert not simulator.store.all("Microsoft.DBforMySQL/flexibleServers/databases")


def test_making_a_server_takes_minutes(arm: Arm) -> None:
    answer = arm.server()
    assert answer.status == 202
    assert answer.headers["Retry-After"] == "60"
    assert "/locations/westeurope/azureAsyncOperation/" in answer.headers["Azure-AsyncOperation"]
    assert "/locations/westeurope/operationResults/" in answer.headers["Location"]
    assert set(answer.body) == {"operation", "startTime"}
    arm.simulator.clock.advance(240)
    first = arm.poll(answer)
    assert (first.body["status"], first.headers["Retry-After"]) == ("InProgress", "60")
    assert arm.own()["state"] == "Updating"
    arm.simulator.clock.advance(20)
    last = arm.poll(answer)
    assert (last.body["status"], last.headers["Retry-After"]) == ("Succeeded", "60")
    assert arm.own()["state"] == "Ready"


def test_the_password_never_comes_back(arm: Arm) -> None:
    arm.ready()
    arm.patch(administratorLoginPassword="Another-Secret-2")
    arm.simulator.clock.advance(600)
    told = str([arm.call("GET", SERVER).body, arm.call("GET", SERVERS).body, arm.simulator.store.get(SERVER)])
    assert SECRET not in told
    assert "Another-Secret-2" not in told


@pytest.mark.parametrize(
    ("api", "known", "unknown"),
    [
        ("2021-05-01", {"storageSku"}, {"autoIoScaling", "logOnDisk", "storageRedundancy"}),
        ("2023-06-30", {"storageSku", "autoIoScaling", "logOnDisk"}, {"storageRedundancy"}),
        ("2024-12-30", {"storageSku", "autoIoScaling", "logOnDisk", "storageRedundancy"}, set()),
    ],
)
def test_an_old_api_version_does_not_know_what_is_new(arm: Arm, api: str, known: set[str], unknown: set[str]) -> None:
    arm.ready()
    shown = set(arm.call("GET", SERVER, version=api).body["properties"]["storage"])
    assert known <= shown
    assert not unknown & shown


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"storage": {"storageSizeGB": 32}}, (400, "InvalidParameterValue")),
        ({"storage": {"storageSizeGB": 40000}}, (400, "InvalidParameterValue")),
        ({"version": "8.0.21"}, (400, "InvalidParameterValue")),
        ({"version": "9.9"}, (400, "InvalidParameterValue")),
        ({"administratorLogin": "other"}, (400, "InvalidParameterValue")),
        ({"backup": {"backupRetentionDays": 36}}, (400, "InvalidParameterValue")),
        ({"backup": {"geoRedundantBackup": "Enabled"}}, (400, "InvalidParameterValue")),
        ({"administratorLoginPassword": "weakweak"}, (202, "")),
    ],
)
def test_what_an_existing_server_refuses(arm: Arm, change: dict[str, Any], expected: tuple[int, str]) -> None:
    before = arm.ready(storage={"storageSizeGB": 64})
    answer = arm.patch(**change)
    assert (answer.status, code(answer) if answer.status >= 400 else "") == expected
    arm.simulator.clock.advance(600)
    assert arm.own() == before


def test_keys_of_ones_own_need_an_identity_of_the_server(arm: Arm) -> None:
    arm.ready()
    who = f"{GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/leaf"
    keys = {"type": "AzureKeyVault", "primaryUserAssignedIdentityId": who, "primaryKeyURI": "https://v.example/keys/k"}

    def asked(**encryption: str) -> Answer:
        answer = arm.patch(dataEncryption=encryption)
        arm.simulator.clock.advance(600)
        return answer

    assert code(asked(**keys)) == "InvalidParameterValue"
    arm.call("PATCH", SERVER, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {who: {}}}})
    arm.simulator.clock.advance(600)
    assert code(asked(type="AzureKeyVault", primaryUserAssignedIdentityId=who)) == "InvalidParameterValue"
    assert asked(**keys).status == 202
    assert arm.own()["dataEncryption"] == keys
    # The keys must be given up by name.
    assert code(asked(type="SystemManaged")) == "InvalidParameterValue"
    assert asked(type="SystemManaged", primaryUserAssignedIdentityId="", primaryKeyURI="").status == 202
    assert arm.own()["dataEncryption"] == {"type": "SystemManaged"}


def test_a_server_stays_where_it_is(arm: Arm) -> None:
    arm.ready()
    answer = arm.call("PUT", SERVER, {**body(), "location": "northeurope"})
    assert (answer.status, code(answer)) == (409, "InvalidResourceLocation")
    assert arm.call("PUT", SERVER, {**body(), "location": "West Europe"}).status == 202


def test_what_a_change_does_not_name_stays(arm: Arm) -> None:
    arm.ready(storage={"storageSizeGB": 64, "autoGrow": "Disabled"}, backup={"backupRetentionDays": 9})
    assert arm.patch(storage={"storageSizeGB": 128}, network={"publicNetworkAccess": "Disabled"}).status == 202
    assert arm.own()["state"] == "Updating"
    arm.simulator.clock.advance(100)
    own = arm.own()
    assert own["storage"]["storageSizeGB"], own["storage"]["iops"] == (128, 684)
    assert (own["storage"]["autoGrow"], own["backup"]["backupRetentionDays"]) == ("Disabled", 9)
    assert own["network"]["publicNetworkAccess"] == "Disabled"


def test_a_version_can_be_raised(arm: Arm) -> None:
    arm.ready(version="8.0.21")
    assert arm.patch(version="8.4").status == 202
    arm.simulator.clock.advance(100)
    assert arm.own()["version"] == "8.4"


def test_a_busy_server_refuses(arm: Arm) -> None:
    arm.server()
    for answer in (arm.patch(version="8.4"), arm.call("DELETE", SERVER), arm.call("PUT", f"{SERVER}/databases/a", {})):
        assert (answer.status, code(answer)) == (409, "ServerUnavailableForOperation")
    arm.simulator.clock.advance(600)
    # Recorded: parts of a server are made at the same time.
    assert arm.call("PUT", f"{SERVER}/databases/a", {"properties": {}}).status == 202
    assert arm.parameter("max_connections", "20").status == 202
    assert code(arm.patch(version="8.4")) == "ServerBusy"
    arm.simulator.clock.advance(100)
    assert arm.patch(version="8.4").status == 202


def test_names_are_the_worlds(arm: Arm) -> None:
    arm.ready()
    other = SERVER.replace(GROUP_ID, f"{SUBSCRIPTION}/resourceGroups/other")
    group = f"{SUBSCRIPTION}/resourceGroups/other"
    arm.simulator.store.put(group, {"id": group, "name": "other", "location": "westeurope", "properties": {}})
    answer = arm.call("PUT", other, body())
    assert (answer.status, code(answer)) == (409, "ServerNameAlreadyExists")


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"sku": {"name": "Standard_B1ms", "tier": "GeneralPurpose"}}, "ServerEditionIncompatibleWithSkuSize"),
        ({"properties": {"administratorLogin": "root", "administratorLoginPassword": SECRET}}, "InvalidParameterValue"),
        ({"properties": {"administratorLogin": "me"}}, "InvalidParameterValue"),
        ({"sku": {}}, "InvalidParameterValue"),
        ({"sku": {"name": "Standard_D2ds_v4", "tier": "Huge"}}, "InvalidParameterValue"),
        ({"sku": {"name": "D2", "tier": "GeneralPurpose"}}, "InvalidParameterValue"),
    ],
)
def test_what_a_new_server_needs(arm: Arm, what: dict[str, Any], expected: str) -> None:
    answer = arm.call("PUT", SERVER, {**body(), **what})
    assert (answer.status, code(answer)) == (400, expected)
    assert arm.call("GET", SERVER).status == 404


def test_a_weak_password_is_refused_to_who_signed_in(arm: Arm) -> None:
    arm.principal = arm.simulator.owner
    assert code(arm.server(administratorLoginPassword="weakweak")) == "PasswordNotComplex"
    assert code(arm.server(administratorLoginPassword="Myadmin-12345")) == "PasswordNotComplex"
    assert arm.server().status == 202


def test_a_parameter_that_needs_a_restart_waits_for_one(arm: Arm) -> None:
    arm.ready()
    arm.parameter("performance_schema", "OFF")
    arm.simulator.clock.advance(100)
    waits = arm.parameter("performance_schema")
    assert (waits["value"], waits["currentValue"], waits["isConfigPendingRestart"]) == ("OFF", "ON", "True")
    assert arm.call("POST", f"{SERVER}/restart").status == 202
    arm.simulator.clock.advance(100)
    done = arm.parameter("performance_schema")
    assert (done["currentValue"], done["isConfigPendingRestart"]) == ("OFF", "False")


def test_parameters_have_limits(arm: Arm) -> None:
    arm.ready()
    assert code(arm.parameter("max_connections", "9")) == "InvalidParameterValue"
    assert code(arm.parameter("sql_generate_invisible_primary_key", "MAYBE")) == "InvalidParameterValue"
    assert code(arm.parameter("lower_case_table_names", "2")) == "InvalidParameterValue"
    assert arm.parameter("no_such_thing", "1").status == 404
    assert arm.call("DELETE", f"{SERVER}/configurations/max_connections").status == 405
    shown = arm.parameter("max_connections")
    assert (shown["defaultValue"], shown["allowedValues"], shown["source"]) == ("683", "10-1365", "system-default")
    many = [
        {"name": "max_connections", "properties": {"value": "50"}},
        {"name": "sql_mode", "properties": {"value": ""}},
    ]
    assert arm.call("POST", f"{SERVER}/updateConfigurations", {"value": many}).status == 202
    arm.simulator.clock.advance(100)
    listed = {one["name"]: one["properties"] for one in arm.call("GET", f"{SERVER}/configurations").body["value"]}
    assert (listed["max_connections"]["value"], listed["sql_mode"]["source"]) == ("50", "user-override")


def test_firewall_rules_are_ranges(arm: Arm) -> None:
    arm.ready()
    path = f"{SERVER}/firewallRules/mine"
    for start, end in (("203.0.113.2", "203.0.113.1"), ("203.0.113.256", "203.0.113.1"), ("::1", "::1")):
        asked = {"properties": {"startIpAddress": start, "endIpAddress": end}}
        assert code(arm.call("PUT", path, asked)) == "InvalidParameterValue"
    asked = {"properties": {"startIpAddress": "203.0.113.7", "endIpAddress": "203.0.113.7"}}
    assert arm.call("PUT", path, asked).status == 202
    assert arm.call("GET", path).status == 404  # the operation runs yet
    arm.simulator.clock.advance(100)
    assert arm.call("GET", path).status == 200


def test_a_private_server_has_no_firewall_rules(arm: Arm) -> None:
    subnet = f"{GROUP_ID}/providers/Microsoft.Network/virtualNetworks/net/subnets/db"
    own = arm.ready(network={"delegatedSubnetResourceId": subnet})
    assert own["network"]["publicNetworkAccess"] == "Disabled"
    asked = {"properties": {"startIpAddress": "203.0.113.7", "endIpAddress": "203.0.113.7"}}
    assert code(arm.call("PUT", f"{SERVER}/firewallRules/mine", asked)) == "FirewallRuleNotSupportedForPrivateAccess"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ("utf8mb4", "utf8mb4_0900_ai_ci")),
        ({"charset": "latin1"}, ("latin1", "latin1_swedish_ci")),
        ({"collation": "utf8mb4_bin"}, ("utf8mb4", "utf8mb4_bin")),
        ({"charset": "klingon"}, None),
        ({"charset": "utf8mb4", "collation": "latin1_bin"}, None),
    ],
)
def test_a_database_has_a_charset_and_a_collation(
    arm: Arm, asked: dict[str, str], expected: tuple[str, str] | None
) -> None:
    arm.ready()
    answer = arm.call("PUT", f"{SERVER}/databases/tea", {"properties": asked})
    if expected is None:
        assert code(answer) == "InvalidParameterValue"
        return
    arm.simulator.clock.advance(100)
    own = arm.call("GET", f"{SERVER}/databases/tea").body["properties"]
    assert (own["charset"], own["collation"]) == expected


def test_the_systems_databases_stay(arm: Arm) -> None:
    arm.ready()
    for method in ("PUT", "DELETE"):
        assert code(arm.call(method, f"{SERVER}/databases/mysql", {})) == "InvalidParameterValue"


def test_a_server_that_waits_for_nothing_cannot_be_started(arm: Arm) -> None:
    arm.ready()
    assert code(arm.call("POST", f"{SERVER}/start")) == "ServerIsNotStopped"
    assert arm.call("POST", f"{SERVER}/stop").status == 202
    assert arm.own()["state"] == "Stopping"
    arm.simulator.clock.advance(100)
    assert code(arm.patch(version="8.4")) == "ServerUnavailableForOperation"
    assert arm.call("POST", f"{SERVER}/start").status == 202
    assert arm.own()["state"] == "Starting"


def test_high_availability_needs_more_than_a_burstable_size(arm: Arm) -> None:
    small = {**body(highAvailability={"mode": "ZoneRedundant"}), "sku": {"name": "Standard_B1ms", "tier": "Burstable"}}
    assert code(arm.call("PUT", SERVER, small)) == "HighAvailabilityNotSupportedForBurstable"
    own = arm.ready(highAvailability={"mode": "ZoneRedundant"}, availabilityZone="3")
    assert own["highAvailability"] == {"mode": "ZoneRedundant", "state": "Healthy", "standbyAvailabilityZone": "1"}
    assert arm.call("POST", f"{SERVER}/failover").status == 202
    arm.simulator.clock.advance(100)
    assert arm.own()["availabilityZone"] == "1"


def test_a_replica_and_its_source(arm: Arm) -> None:
    arm.ready()
    asked = {"location": "westeurope", "properties": {"createMode": "Replica", "sourceServerResourceId": SERVER}}
    assert arm.call("PUT", f"{SERVER}-2", asked).status == 202
    arm.simulator.clock.advance(600)
    copy = arm.call("GET", f"{SERVER}-2").body
    assert (copy["properties"]["replicationRole"], copy["properties"]["version"]) == ("Replica", "8.4")
    assert copy["sku"]["name"] == "Standard_D2ds_v4"


def test_what_a_replica_needs(arm: Arm) -> None:
    asked = {"createMode": "Replica", "sourceServerResourceId": SERVER}
    missing = arm.call("PUT", f"{SERVER}-2", {"location": "westeurope", "properties": asked})
    assert code(missing) == "InvalidParameterValue"
    arm.call("PUT", SERVER, {**body(), "sku": {"name": "Standard_B1ms", "tier": "Burstable"}})
    arm.simulator.clock.advance(600)
    small = arm.call("PUT", f"{SERVER}-2", {"location": "westeurope", "properties": asked})
    assert code(small) == "ReplicaNotSupportedForBurstable"


def test_what_needs_a_standby_and_what_must_not_have_one(arm: Arm) -> None:
    arm.ready()
    assert code(arm.call("POST", f"{SERVER}/failover")) == "HighAvailabilityNotEnabled"
    arm.patch(highAvailability={"mode": "SameZone"})
    arm.simulator.clock.advance(100)
    assert code(arm.call("POST", f"{SERVER}/stop")) == "OperationNotSupported"


@pytest.mark.parametrize("name", ["-a", "a-", "UPPER", "a_b", "a" * 64])
def test_a_server_has_a_name_for_dns(arm: Arm, name: str) -> None:
    assert code(arm.call("PUT", f"{SERVERS}/{name}", body())) == "InvalidParameterValue"
    check = f"{SUBSCRIPTION}/providers/Microsoft.DBforMySQL/checkNameAvailability"
    assert arm.call("POST", check, {"name": name}).body["reason"] == "Invalid"


def test_the_parts_of_a_missing_server_are_not_found(arm: Arm) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = arm.call(method, f"{SERVER}/databases/a", {})
        assert (answer.status, code(answer)) == (404, "ResourceNotFound")
        assert "flexibleServers/matcha-mysql'" in answer.body["error"]["message"]


def test_an_administrator_is_an_identity_of_the_server(arm: Arm) -> None:
    arm.ready()
    identity = f"{GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/drinker"
    asked = {"login": "drinker", "sid": "1", "tenantId": "2", "identityResourceId": identity}
    path = f"{SERVER}/administrators/ActiveDirectory"
    assert code(arm.call("PUT", path, {"properties": asked})) == "InvalidParameterValue"
    assigned = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    arm.call("PATCH", SERVER, {"identity": assigned})
    arm.simulator.clock.advance(100)
    for key in asked:
        assert code(arm.call("PUT", path, {"properties": {**asked, key: ""}})) == "InvalidParameterValue"
    other = path.replace("ActiveDirectory", "Somebody")
    assert code(arm.call("PUT", other, {"properties": asked})) == "InvalidParameterValue"
    assert arm.call("PUT", path, {"properties": asked}).status == 202
    arm.simulator.clock.advance(100)
    found = arm.call("GET", path).body["properties"]
    assert found["identityResourceId"] == identity.replace("resourceGroups", "resourcegroups")


def test_what_an_operation_leaves_that_is_called_off(arm: Arm) -> None:
    operations = arm.simulator.operations
    arm.server()
    operations.cancel(operations.pending(SERVER)[0])
    assert arm.call("GET", SERVER).status == 404
    before = arm.ready()
    for change in (
        lambda: arm.patch(storage={"storageSizeGB": 256}),
        lambda: arm.call("POST", f"{SERVER}/stop"),
        lambda: arm.call("DELETE", SERVER),
    ):
        answer = change()
        operations.cancel(operations.pending(SERVER)[0])
        last = arm.poll(answer)
        assert (last.body["status"], last.body["error"]["code"]) == ("Canceled", "OperationPreempted")
        assert arm.own() == before


def test_a_group_takes_its_servers_along(arm: Arm) -> None:
    for preparation in (lambda: None, arm.server, lambda: arm.patch(version="8.4")):
        preparation()
        assert arm.call("DELETE", GROUP_ID).status == 202
        arm.simulator.clock.advance(3600)
        assert arm.call("GET", GROUP_ID).status == 404
        make_group(arm.simulator)
        arm.ready()


@pytest.mark.skipif(not SHARED.is_dir(), reason="no recordings beside this repository")
def test_it_answers_as_azure_did() -> None:
    """At least 97 % of the states and headers, 95 % of the errors and 90 % of the keys that are recorded."""
    from simulator.http import Running

    run = Running(Simulator(instant=True))
    try:
        command = [sys.executable, SHARED / "conform.py", "--url", run.url, "--types", "dbformysql/*", "--least", "1"]
        command += [SHARED / "recordings-mysql.jsonl.xz"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    finally:
        run.stop()
    words = said.splitlines()[-1].split()
    score = dict(zip(words[1::2], words[2::2], strict=True))
    assert float(score["status"]) >= 97, said
    assert float(score["lro_headers"]) >= 97, said
    assert float(score["body_keys"]) >= 90, said
    assert float(score["error_codes"]) >= 95, said
