# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's core: TLS and the proxy, access, delays, faults as the real SDK sees them, clock, log, groups."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ServiceResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.resource.resources import ResourceManagementClient

from simulator.access import NO_DELAYS
from simulator.arm import Answer, AzureError, Request, ResourceId, ResourceType
from simulator.clock import Clock
from simulator.fault_kinds import KINDS
from simulator.faults import STORM, Faults
from simulator.simulator import Simulator, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.http import Running
    from simulator.principals import Principal

SUBSCRIPTION = f"/subscriptions/{Simulator.subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/g"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/registry1"
VERSION = {"api-version": "2021-04-01"}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running() as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


def client(run: Running, who: Principal | None = None, **settings: Any) -> ResourceManagementClient:
    who = who or run.simulator.owner
    credential = ClientSecretCredential(run.simulator.tenant, who.app_id, who.secret)
    settings = {"retry_total": 0, "polling_interval": 0, **settings}
    return ResourceManagementClient(credential, run.simulator.subscription, **settings)


def call(simulator: Simulator, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    """Call Resource Manager without a network, as nobody who may do all."""
    query = {**VERSION, **({"$filter": headers.pop("filter")} if "filter" in headers else {})}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = json.dumps(body).encode() if body is not None else b""
    return simulator.handle(Request(simulator, method, path, query, named, raw, plain=True))


@pytest.fixture
def arm() -> Simulator:
    simulator = Simulator(delays=NO_DELAYS)
    call(simulator, "PUT", GROUP, {"location": "westeurope", "tags": {"a": "b"}})
    return simulator


def code(answer: Answer) -> str:
    return str(answer.body["error"]["code"])


# -- TLS, the proxy, processes, threads


def test_every_other_host_is_refused(run: Running) -> None:
    for url in ("https://example.com/", "https://management.azure.com:8443/", "http://example.com/"):
        with pytest.raises(requests.exceptions.ProxyError) if url[4] == "s" else pytest.raises(requests.HTTPError):
            requests.get(url, timeout=60).raise_for_status()
    assert run.refused == ["example.com:443", "management.azure.com:8443", "example.com"]
    assert run.log() == []


def test_a_client_that_does_not_know_the_authority_says_no(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    assert requests.get("https://management.azure.com/subscriptions", timeout=60).status_code == 401
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(requests.exceptions.SSLError):
        requests.get("https://management.azure.com/subscriptions", timeout=60)
    assert len(run.log()) == 1


def test_a_certificate_holds_for_every_account(run: Running) -> None:
    for host in ("account.blob.core.windows.net", "name.vault.azure.net"):
        assert requests.get(f"https://{host}/", timeout=60).status_code >= 400
    assert [entry["host"] for entry in run.log()] == ["account.blob.core.windows.net", "name.vault.azure.net"]


def test_another_process_uses_it(run: Running) -> None:
    script = (
        "import os\nfrom azure.identity import EnvironmentCredential\n"
        "from azure.mgmt.resource.resources import ResourceManagementClient as C\n"
        "c = C(EnvironmentCredential(), os.environ['AZURE_SUBSCRIPTION_ID'])\n"
        "print(c.resource_groups.create_or_update('g', {'location': 'westeurope'}).id)"
    )
    environment = {**os.environ, **run.environment}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == GROUP
    assert run.simulator.store.get(GROUP)


def test_stopping_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(threading.enumerate())
    with running() as run:
        for name, value in run.environment.items():
            monkeypatch.setenv(name, value)
        session = requests.Session()
        session.get("https://management.azure.com/subscriptions", timeout=60)
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) == before
    assert not run.ca.exists()
    session.close()


# -- access


def someone(run: Running, role: str = "", scope: str = SUBSCRIPTION) -> Principal:
    found = run.simulator.principals.add_service_principal("someone", "secret")
    if role:
        run.simulator.access.grant(found, role, scope)
    return found


def test_who_has_no_role_is_refused_in_azures_words(run: Running) -> None:
    who = someone(run)
    with pytest.raises(HttpResponseError) as caught:
        client(run, who).resource_groups.create_or_update("g", {"location": "westeurope"})
    assert (caught.value.status_code, caught.value.error.code) == (403, "AuthorizationFailed")
    assert caught.value.error.message == (
        f"The client '{who.app_id}' with object id '{who.object_id}' does not have authorization to perform action "
        f"'Microsoft.Resources/subscriptions/resourceGroups/write' over scope '{SUBSCRIPTION}/resourcegroups/g' or the "
        "scope is invalid. If access was recently granted, please refresh your credentials."
    )


def test_roles_hold_below_their_scope_and_nowhere_else(run: Running) -> None:
    owner = client(run)
    for name in ("g", "h"):
        owner.resource_groups.create_or_update(name, {"location": "westeurope"})
    reader = client(run, someone(run, "Reader", GROUP))
    assert reader.resource_groups.get("g").name == "g"
    assert [one.name for one in reader.resource_groups.list()] == ["g"]
    for refused in (lambda: reader.resource_groups.get("h"), lambda: reader.resource_groups.begin_delete("g")):
        with pytest.raises(HttpResponseError) as caught:
            refused()
        assert caught.value.error.code == "AuthorizationFailed"


def test_groups_of_groups_custom_roles_and_data(arm: Simulator) -> None:
    directory, access = arm.principals, arm.access
    user = directory.add_user("user")
    outer = directory.add_group("outer", [directory.add_group("inner", [user])])
    access.grant(outer, "Contributor", GROUP)
    write, assign = "Microsoft.Storage/storageAccounts/write", "Microsoft.Authorization/roleAssignments/write"
    assert access.allowed(user, write, f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a")
    assert not access.allowed(user, assign, GROUP)
    assert not access.allowed(user, write, SUBSCRIPTION)
    assert not access.allowed(user, write, GROUP + "2")
    blob = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
    assert not access.allowed(arm.owner, blob, GROUP, data=True)
    access.grant(user, "Storage Blob Data Reader", GROUP)
    assert access.allowed(user, blob, GROUP, data=True)
    permissions = [{"actions": ["Microsoft.Storage/*"], "notActions": ["*/delete"]}]
    custom = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/c0"
    role = {"name": "c0", "id": custom, "properties": {"roleName": "Custom", "permissions": permissions}}
    arm.store.put(custom, role)
    other = directory.add_user("other")
    access.grant(other, "c0", SUBSCRIPTION)
    assert access.allowed(other, write, GROUP)
    assert not access.allowed(other, "Microsoft.Storage/storageAccounts/delete", GROUP)
    assert access.definition("Custom") is role


def test_grants_and_identities_take_a_while() -> None:
    simulator = Simulator(speed=0)
    identity = simulator.principals.add_managed_identity("i")
    assert not simulator.principals.known(identity.object_id)
    simulator.clock.advance(simulator.delays.identity)
    assert simulator.principals.known(identity.object_id)
    grant = simulator.access.grant(identity, "Storage Blob Data Owner", SUBSCRIPTION)
    grant |= simulator.access.effective()
    action = "Microsoft.Storage/storageAccounts/blobServices/containers/read"
    blob = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
    seen = []
    for seconds in (0, simulator.delays.grant, simulator.delays.data_grant - simulator.delays.grant):
        simulator.clock.advance(seconds)
        allowed = simulator.access.allowed
        seen.append((allowed(identity, action, GROUP), allowed(identity, blob, GROUP, data=True)))
    assert seen == [(False, False), (True, False), (True, True)]
    assert Simulator(instant=True).delays == NO_DELAYS


# -- faults

STATUSES = {
    "throttled": (429, "SubscriptionRequestsThrottled"),
    "throttled_without_retry_after": (429, "FailedIdentityOperation"),
    "server_error": (500, "InternalServerError"),
    "server_error_unwrapped": (500, "GetVnetError"),
    "bad_gateway": (502, "BadGatewayConnection"),
    "bad_gateway_html": (502, None),
    "unavailable": (503, "ServiceUnavailable"),
    "gateway_timeout": (504, "GatewayTimeout"),
    "etag_mismatch": (409, "EtagMismatch"),
    "another_operation": (409, "AnotherOperationInProgress"),
    "principal_not_found": (400, "PrincipalNotFound"),
    "not_replicated": (404, "ResourceNotFound"),
}


@pytest.mark.parametrize("fault", STATUSES)
def test_a_fault_reaches_the_sdk(run: Running, fault: str) -> None:
    run.simulator.faults.add(fault, method="PUT", nth=2)
    groups = client(run).resource_groups
    groups.create_or_update("g", {"location": "westeurope"})
    with pytest.raises(HttpResponseError) as caught:
        groups.create_or_update("h", {"location": "westeurope"})
    status, name = STATUSES[fault]
    assert caught.value.status_code == status
    assert (caught.value.error.code if caught.value.error else None) == name
    assert ("Retry-After" in caught.value.response.headers) == (fault == "throttled")
    assert run.simulator.store.get(f"{SUBSCRIPTION}/resourceGroups/h") is None
    groups.create_or_update("h", {"location": "westeurope"})
    assert [one[0] for one in run.simulator.faults.happened] == [fault]


@pytest.mark.parametrize(("fault", "there"), [("drop_before", False), ("drop_after", True)])
def test_a_connection_is_dropped(run: Running, fault: str, there: bool) -> None:
    run.simulator.faults.add(fault, method="PUT")
    with pytest.raises(ServiceResponseError):
        client(run).resource_groups.create_or_update("g", {"location": "westeurope"})
    assert (run.simulator.store.get(GROUP) is not None) == there
    assert run.log()[-1]["status"] == 0


def test_sign_in_and_data_planes_have_faults_too(run: Running) -> None:
    run.simulator.faults.add("unavailable", host="login.microsoftonline.com", path="token", method="POST")
    run.simulator.faults.add("drop_after", host="*.vault.azure.net")
    token = f"https://login.microsoftonline.com/{run.simulator.tenant}/oauth2/v2.0/token"
    assert requests.post(token, timeout=60).status_code == 503
    with pytest.raises(requests.ConnectionError):
        requests.get("https://name.vault.azure.net/secrets", timeout=60)
    assert [one[0] for one in run.simulator.faults.happened] == ["unavailable", "drop_after"]


def test_a_poll_fails_and_the_sdk_goes_on(run: Running) -> None:
    groups = client(run, retry_total=3, retry_backoff_factor=0).resource_groups
    groups.create_or_update("g", {"location": "westeurope"})
    rule = run.simulator.faults.add("bad_gateway", method="GET", path="/operationresults/")
    other = run.simulator.faults.add("bad_gateway", method="PATCH")
    groups.begin_delete("g").result()
    assert (rule.done, other.seen) == (1, 0)
    assert not groups.check_existence("g")


def test_requests_at_the_same_time(run: Running) -> None:
    def make(number: int) -> None:
        for turn in range(5):
            answer = requests.put(
                f"{run.arm_url}{GROUP}-{number}-{turn}", params=VERSION, json={"location": "eastus"}, timeout=60
            )
            assert answer.status_code == 201

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(run.simulator.store.all("Microsoft.Resources/resourceGroups")) == 40
    assert [entry["n"] for entry in run.log()] == list(range(40))


def test_an_operation_fails_is_cancelled_or_only_looks_bad(arm: Simulator) -> None:
    for fault, status in (("operation_failed", "Failed"), ("operation_canceled", "Canceled")):
        arm.faults.add(fault, path="things PUT")
        ended: list[Any] = []
        operation = arm.operations.start(60, kind="X/things PUT", on_failed=lambda *end, ended=ended: ended.append(end))
        arm.operations.settle()
        assert operation.status == "InProgress"
        arm.clock.advance(60)
        arm.operations.settle()
        assert operation.status == status
        assert ended == [(status, operation.error)]
    arm.faults.add("operation_troubled", path="things PUT")
    operation = arm.operations.start(60, kind="X/things PUT")
    assert (operation.status, operation.error["code"]) == ("InProgress", "ReconcileControlPlaneCertificatesError")
    arm.clock.advance(60)
    arm.operations.settle()
    assert (operation.status, operation.error) == ("Succeeded", None)


def test_every_kind_of_fault_is_tried_here() -> None:
    tried = {*STATUSES, "drop_before", "drop_after", "operation_failed", "operation_canceled", "operation_troubled"}
    assert tried == set(KINDS)
    with pytest.raises(ValueError, match="There is no fault 'unknown'"):
        Faults().add("unknown")


def test_a_storm_repeats_itself_and_a_client_that_retries_comes_through(run: Running) -> None:
    def weather() -> list[str]:
        run.simulator.reset()
        run.simulator.faults = Faults(seed=7, rate=0.4)
        groups = client(run, retry_total=10, retry_backoff_factor=0).resource_groups
        for number in range(20):
            groups.create_or_update(f"g{number}", {"location": "westeurope"})
            groups.get(f"g{number}")
        return [one[0] for one in run.simulator.faults.happened]

    first = weather()
    assert len(first) > 10
    assert set(first) <= set(STORM)
    assert weather() == first


# -- clock, log, control


def test_the_clock_is_ours() -> None:
    clock = Clock(speed=0, start=1000)
    assert (clock.now(), clock.passed(1000), clock.passed(1001)) == (1000, True, False)
    clock.advance(1)
    assert clock.passed(1001)
    assert clock.text() == "1970-01-01T00:16:41.0000000Z"
    assert Clock(instant=True).passed(10**12)
    fast, slow = Clock(speed=1e6, start=0), Clock(speed=1e-6, start=0)
    assert fast.now() > slow.now()


def test_operations_end_in_their_order(arm: Simulator) -> None:
    ended: list[str] = []
    for name, seconds in (("late", 20), ("early", 10), ("never", 10**6)):
        arm.operations.start(seconds, kind=name, on_done=lambda name=name: ended.append(name))

    def fails() -> None:
        raise AzureError(409, "Conflict", "No.")

    failing = arm.operations.start(5, kind="failing", on_done=fails)
    arm.clock.advance(20)
    arm.operations.settle()
    assert ended == ["early", "late"]
    assert (failing.status, failing.error) == ("Failed", {"code": "Conflict", "message": "No."})


def test_the_log_and_the_control_api(run: Running) -> None:
    def control(what: str, **body: Any) -> Any:
        answer = requests.post(f"{run.arm_url}/_simulator/{what}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    client(run).resource_groups.create_or_update("g", {"location": "westeurope"})
    entry = requests.get(f"{run.arm_url}/_simulator/log", timeout=60).json()[-1]
    assert (entry["method"], entry["path"], entry["status"]) == ("PUT", f"{SUBSCRIPTION}/resourcegroups/g", 201)
    assert entry["body"] == {"location": "westeurope"}
    assert entry["principal"] == run.simulator.owner.object_id
    assert entry["client_request_id"]
    assert run.simulator.owner.secret not in json.dumps(run.log())
    who = control("principals", kind="ServicePrincipal", name="x", secret="s")
    control("grants", principal=who["object_id"], role="Reader", scope=SUBSCRIPTION)
    assert run.simulator.access.allowed(run.simulator.principals.get(who["object_id"]), "a/b/read", SUBSCRIPTION)
    before = run.simulator.clock.now()
    assert control("advance", seconds=5000)["now"] >= before + 5000
    control("faults", rules=[{"fault": "unavailable", "nth": 0}])
    assert requests.get(f"{run.arm_url}{GROUP}", params=VERSION, timeout=60).status_code == 503
    assert (
        requests.post(f"{run.arm_url}/_simulator/faults", json={"rules": [{"fault": "x"}]}, timeout=60).status_code
        == 400
    )
    control("faults")
    control("reset")
    assert run.log() == []
    assert requests.get(f"{run.arm_url}{GROUP}", params=VERSION, timeout=60).status_code == 404


# -- resource groups and what is in them


def test_the_sdk_makes_and_deletes_a_group(run: Running) -> None:
    groups = client(run).resource_groups
    made = groups.create_or_update("G", {"location": "West Europe", "tags": {"a": "b"}})
    assert (made.id, made.location, made.properties.provisioning_state) == (
        f"{SUBSCRIPTION}/resourceGroups/G",
        "westeurope",
        "Succeeded",
    )
    assert groups.check_existence("g")
    assert [one.name for one in groups.list(filter="tagName eq 'A' and tagValue eq 'b'")] == ["G"]
    assert list(groups.list(filter="tagName eq 'a' and tagValue eq 'B'")) == []
    groups.begin_delete("g").result()
    assert not groups.check_existence("g")
    statuses = [entry["status"] for entry in run.log() if "/operationresults/" in entry["path"]]
    assert statuses[-1] == 200


def test_a_groups_errors(arm: Simulator) -> None:
    bad = call(arm, "PUT", GROUP + "2", {"location": "BadLocation"})
    assert (bad.status, code(bad)) == (400, "LocationNotAvailableForResourceGroup")
    assert code(call(arm, "PUT", GROUP, {"location": "eastus"})) == "InvalidResourceGroupLocation"
    assert code(call(arm, "PUT", GROUP, {})) == "LocationRequired"
    gone = call(arm, "GET", GROUP + "2")
    assert (gone.status, gone.body["error"]["message"]) == (404, "Resource group 'g2' could not be found.")
    assert gone.headers == {"x-ms-failure-cause": "gateway"}
    assert call(arm, "DELETE", GROUP + "2").status == 404
    assert code(call(arm, "GET", REGISTRY.replace("/g/", "/g2/"))) == "ResourceGroupNotFound"
    assert code(call(arm, "GET", REGISTRY)) == "ResourceNotFound"
    part = call(arm, "DELETE", REGISTRY.replace("/g/", "/g2/") + "/scopeMaps/s")
    assert (part.status, "registries/registry1" in part.body["error"]["message"]) == (404, True)
    again = call(arm, "PUT", GROUP, {"location": "westeurope"})
    assert (again.status, "tags" in again.body) == (200, False)


def test_a_group_takes_its_resources_along(arm: Simulator) -> None:
    assert call(arm, "PUT", REGISTRY, {"location": "westeurope", "sku": {"name": "Basic"}}).status < 300
    arm.clock.advance(600)
    listed = call(arm, "GET", f"{GROUP}/resources", filter="resourceType eq 'Microsoft.ContainerRegistry/registries'")
    assert [one["name"] for one in listed.body["value"]] == ["registry1"]
    assert call(arm, "GET", f"{SUBSCRIPTION}/resources", filter="tagName eq 'no'").body["value"] == []
    begun = call(arm, "DELETE", GROUP)
    assert (begun.status, begun.headers["Retry-After"]) == (202, "15")
    assert call(arm, "GET", GROUP).body["properties"]["provisioningState"] == "Deleting"
    refused = call(arm, "PUT", REGISTRY + "2", {"location": "westeurope", "sku": {"name": "Basic"}})
    assert (refused.status, code(refused)) == (409, "ResourceGroupBeingDeleted")
    poll = begun.headers["Location"].removeprefix("https://management.azure.com").split("?")[0]
    assert call(arm, "GET", poll).status == 202
    arm.clock.advance(3600)
    assert call(arm, "GET", poll).status == 200
    assert call(arm, "HEAD", GROUP).status == 404
    assert list(arm.store.within(GROUP)) == []


def test_a_resource_that_cannot_go_keeps_its_group(arm: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    arm.store.put(REGISTRY, {"id": REGISTRY, "name": "registry1", "location": "westeurope", "properties": {}})

    def refuse(*_: Any) -> Answer:
        raise AzureError(409, "ScopeLocked", "No.")

    monkeypatch.setattr(type(arm.router.types["microsoft.containerregistry/registries"]), "delete", refuse)
    poll = call(arm, "DELETE", GROUP).headers["Location"].removeprefix("https://management.azure.com").split("?")[0]
    arm.clock.advance(3600)
    ended = call(arm, "GET", poll)
    assert (ended.status, code(ended)) == (409, "ResourceGroupDeletionBlocked")
    assert call(arm, "GET", GROUP).body["properties"]["provisioningState"] == "Succeeded"


def test_a_provider_has_to_be_registered(arm: Simulator) -> None:
    arm.unregister("Microsoft.ContainerRegistry")
    path = f"{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry"
    body = {"location": "westeurope", "sku": {"name": "Basic"}}
    refused = call(arm, "PUT", REGISTRY, body)
    assert (refused.status, code(refused)) == (409, "MissingSubscriptionRegistration")
    assert call(arm, "GET", path).body["registrationState"] == "NotRegistered"
    assert call(arm, "POST", f"{path}/register").body["registrationState"] == "Registering"
    arm.clock.advance(60)
    assert call(arm, "GET", path).body["registrationState"] == "Registered"
    assert call(arm, "PUT", REGISTRY, body).status < 300


def test_what_a_request_must_have(arm: Simulator) -> None:
    assert code(arm.handle(Request(arm, "GET", GROUP, plain=True))) == "MissingApiVersionParameter"
    bad = Request(arm, "GET", GROUP, {"api-version": "latest"}, plain=True)
    assert code(arm.handle(bad)) == "InvalidApiVersionParameter"
    broken = Request(arm, "PUT", GROUP, VERSION, raw=b"{", plain=True)
    assert code(arm.handle(broken)) == "InvalidRequestContent"
    assert code(call(arm, "GET", f"{GROUP}/providers/Microsoft.Unknown/things/x")) == "InvalidResourceType"
    assert call(arm, "GET", f"{SUBSCRIPTION}/providers/Microsoft.Unknown").status == 404


class Tagged(ResourceType):
    type = "Microsoft.Test/things"

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        document = {"id": str(rid), "name": rid.name, "etag": f"v{(current or {}).get('n', 0)}"}
        request.simulator.store.put(rid, {**document, "n": (current or {}).get("n", 0) + 1})
        return Answer(200, document)

    def etag(self, current: dict[str, Any]) -> str | None:
        return str(current["etag"])


def test_etags(arm: Simulator) -> None:
    arm.router.types[Tagged.type.lower()] = Tagged()
    path = f"{GROUP}/providers/{Tagged.type}/one"
    assert call(arm, "PUT", path, {}, if_match="*").status == 412
    assert call(arm, "PUT", path, {}, if_none_match="*").status == 200
    assert call(arm, "PUT", path, {}, if_none_match="*").status == 412
    assert call(arm, "PUT", path, {}, if_match='"v0"').status == 200
    assert call(arm, "PUT", path, {}, if_match="v0").status == 412
    assert call(arm, "DELETE", path, if_match="v1").status == 200


def test_sizes_and_quotas(arm: Simulator) -> None:
    skus = f"{SUBSCRIPTION}/providers/Microsoft.Compute/skus"
    usages = f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/usages"
    arm.compute.restrict("westeurope", "Standard_D2s_v5")
    arm.compute.restrict("westeurope", "Standard_D4s_v5", zones=("2",))
    arm.compute.limits["westeurope", "standardDSv5Family"] = 4
    found = {one["name"]: one for one in call(arm, "GET", skus, filter="location eq 'westeurope'").body["value"]}
    assert [one["type"] for one in found["Standard_D2s_v5"]["restrictions"]] == ["Location", "Zone"]
    assert found["Standard_D4s_v5"]["restrictions"][0]["restrictionInfo"]["zones"] == ["2"]
    assert found["Standard_D8s_v5"]["restrictions"] == []
    arm.store.put(
        f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c",
        {"location": "westeurope", "properties": {"agentPoolProfiles": [{"vmSize": "standard_d2s_v5", "count": 2}]}},
    )
    usage = {one["name"]["value"]: one for one in call(arm, "GET", usages).body["value"]}
    family = usage["standardDSv5Family"]
    assert usage["standardBSFamily"]["currentValue"] == 0
    assert (family["currentValue"], family["limit"], usage["cores"]["currentValue"]) == (4, 4, 4)


def test_ids() -> None:
    rid = ResourceId(f"{GROUP}/providers/Microsoft.X/a/b/c/d/providers/Microsoft.Y/e/f")
    assert (rid.type, rid.name, rid.group, str(rid.scope)) == (
        "Microsoft.Y/e",
        "f",
        "g",
        f"{GROUP}/providers/Microsoft.X/a/b/c/d",
    )
    assert rid.parent() is None
    assert rid.scope.parent() == ResourceId(f"{GROUP}/providers/Microsoft.X/A/B")
    assert rid.within(GROUP.upper())
    assert not ResourceId(GROUP + "2/providers/Microsoft.X/a/b").within(GROUP)
