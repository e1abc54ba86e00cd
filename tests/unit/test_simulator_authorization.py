# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's role assignments, role definitions and identities, by Azure's own SDKs and by plain requests."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from simulator_requests import GROUP, GROUP_ID, SUBSCRIPTION, Requests, code, make_group, signed_in

from simulator.providers import managedidentity

if TYPE_CHECKING:
    from simulator.arm import Answer

IDENTITY = f"{GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/drinker"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
CREDENTIAL = {"issuer": "https://issuer.example", "subject": "sub", "audiences": ["api://AzureADTokenExchange"]}


def role(identifier: str) -> str:
    return f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{identifier}"


class Arm(Requests):
    version = "2022-04-01"

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.alice = self.simulator.principals.add_user("alice")

    def assign(self, scope: str = GROUP_ID, name: str = "", **properties: Any) -> Answer:
        own = {"principalId": self.alice.object_id, "roleDefinitionId": role(READER), **properties}
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name or uuid.uuid4()}"
        return self.call("PUT", path, {"properties": own})

    def identity(self, **body: Any) -> Answer:
        return self.call("PUT", IDENTITY, {"location": "westeurope", **body}, version="2024-11-30")

    def credential(self, name: str, **own: Any) -> Answer:
        path = f"{IDENTITY}/federatedIdentityCredentials/{name}"
        return self.call("PUT", path, {"properties": {**CREDENTIAL, **own}}, version="2024-11-30")

    def assignments(self, scope: str, query: str = "") -> list[str]:
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
        found = self.call("GET", path, **({"$filter": query} if query else {})).body["value"]
        return [one["name"] for one in found]


@pytest.fixture
def arm() -> Arm:
    return Arm()


def test_the_sdks_make_an_identity_and_give_it_a_role(monkeypatch: pytest.MonkeyPatch) -> None:
    with signed_in(monkeypatch) as (credential, simulator):
        with ManagedServiceIdentityClient(credential, simulator.subscription) as sdk:
            made = sdk.user_assigned_identities.create_or_update(GROUP, "drinker", {"location": "westeurope"})
            assert made.id == IDENTITY.replace("resourceGroups", "resourcegroups")
            own = sdk.federated_identity_credentials.create_or_update(
                GROUP, "drinker", "tea", {"properties": CREDENTIAL}
            )
            assert own.subject == "sub"
            assert [one.name for one in sdk.federated_identity_credentials.list(GROUP, "drinker")] == ["tea"]
        simulator.clock.advance(60)
        with AuthorizationManagementClient(credential, simulator.subscription) as sdk:
            wanted = "roleName eq 'Storage Blob Data Contributor'"
            found = list(sdk.role_definitions.list(GROUP_ID, filter=wanted))
            assert [one.role_name for one in found] == ["Storage Blob Data Contributor"]
            body = {"properties": {"roleDefinitionId": found[0].id, "principalId": made.principal_id}}
            name = str(uuid.uuid4())
            granted = sdk.role_assignments.create(GROUP_ID, name, body)
            assert (granted.scope, granted.principal_type) == (GROUP_ID, "ServicePrincipal")
            mine = sdk.role_assignments.list_for_scope(GROUP_ID, filter=f"principalId eq '{made.principal_id}'")
            assert [one.name for one in mine] == [name]
            sdk.role_assignments.delete(GROUP_ID, name)
            with pytest.raises(HttpResponseError) as caught:
                sdk.role_assignments.get(GROUP_ID, name)
            assert caught.value.error.code == "RoleAssignmentNotFound"
            rights = list(sdk.permissions.list_for_resource_group(GROUP))
            assert [one.actions for one in rights] == [["*"]]


def test_a_new_identity_is_not_known_at_once(arm: Arm) -> None:
    principal = arm.identity().body["properties"]["principalId"]
    early = arm.assign(principalId=principal)
    assert (early.status, code(early)) == (400, "PrincipalNotFound")
    assert principal.replace("-", "") in early.body["error"]["message"]
    arm.simulator.clock.advance(60)
    assert arm.assign(principalId=principal).status == 201


def test_a_grant_works_after_a_while(arm: Arm) -> None:
    arm.principal = arm.alice
    assert code(arm.call("GET", GROUP_ID)) == "AuthorizationFailed"
    arm.principal = None
    assert arm.assign().status == 201
    arm.principal = arm.alice
    assert code(arm.call("GET", GROUP_ID)) == "AuthorizationFailed"
    arm.simulator.clock.advance(700)
    assert arm.call("GET", GROUP_ID).status == 200


@pytest.mark.parametrize(
    ("name", "own", "wanted"),
    [
        ("tea", {}, (400, "InvalidRoleAssignmentId")),
        ("", {"principalId": "alice"}, (400, "InvalidPrincipalId")),
        ("", {"principalId": str(uuid.uuid4())}, (400, "PrincipalNotFound")),
        ("", {"principalType": "ServicePrincipal"}, (400, "UnmatchedPrincipalType")),
        ("", {"principalType": "Robot"}, (400, "InvalidPrincipalType")),
        ("", {"roleDefinitionId": role(str(uuid.uuid4()))}, (404, "RoleDefinitionDoesNotExist")),
        ("", {"principalId": "OWNER"}, (400, "PrincipalTypeNotSupported")),
    ],
)
def test_what_cannot_be_assigned(arm: Arm, name: str, own: dict[str, str], wanted: tuple[int, str]) -> None:
    own = {key: arm.simulator.owner.app_id if value == "OWNER" else value for key, value in own.items()}
    answer = arm.assign(name=name, **own)
    assert (answer.status, code(answer)) == wanted


def test_the_same_is_assigned_once(arm: Arm) -> None:
    name = str(uuid.uuid4())
    assert arm.assign(name=name).status == 201
    other = arm.assign()
    assert (other.status, code(other)) == (409, "RoleAssignmentExists")
    assert arm.assign(name=name).status == 201
    changed = arm.assign(name=name, description="for tea")
    assert (changed.status, changed.body["properties"]["description"]) == (201, "for tea")
    for own in ({"roleDefinitionId": role(CONTRIBUTOR)}, {"principalId": arm.simulator.owner.object_id}):
        refused = arm.assign(name=name, **own)
        assert (refused.status, code(refused)) == (400, "RoleAssignmentUpdateNotPermitted")
    # Elsewhere, or another role: another grant.
    assert arm.assign(SUBSCRIPTION).status == 201
    assert arm.assign(roleDefinitionId=role(CONTRIBUTOR)).status == 201


def test_lists_of_assignments(arm: Arm) -> None:
    top, here, below = (str(uuid.uuid4()) for _ in range(3))
    arm.identity()
    for scope, name in ((SUBSCRIPTION, top), (GROUP_ID, here), (IDENTITY, below)):
        assert arm.assign(scope, name).status == 201
    make_group(arm.simulator, "other")
    elsewhere = str(uuid.uuid4())
    arm.assign(f"{SUBSCRIPTION}/resourceGroups/other", elsewhere)
    alices = f"principalId eq '{arm.alice.object_id}'"
    owners = len(arm.assignments(SUBSCRIPTION)) - 4
    assert owners == 1
    assert set(arm.assignments(SUBSCRIPTION, alices)) == {top, here, below, elsewhere}
    assert set(arm.assignments(GROUP_ID, alices)) == {top, here, below}
    assert set(arm.assignments(GROUP_ID, f"atScope() and {alices}")) == {top, here}
    assert len(arm.assignments(GROUP_ID, "atScope()")) == 3
    group = arm.simulator.principals.add_group("drinkers", [arm.alice])
    shared = str(uuid.uuid4())
    arm.assign(GROUP_ID, shared, principalId=group.object_id)
    assert shared in arm.assignments(GROUP_ID, f"assignedTo('{arm.alice.object_id}')")
    assert shared not in arm.assignments(GROUP_ID, alices)


def test_an_assignment_needs_its_scope(arm: Arm) -> None:
    nowhere = f"{GROUP_ID}/providers/Microsoft.Storage/storageAccounts/nowhere"
    answer = arm.assign(nowhere)
    assert (answer.status, code(answer)) == (404, "ResourceNotFound")
    assert code(arm.assign(f"{SUBSCRIPTION}/resourceGroups/nowhere")) == "ResourceGroupNotFound"
    assert Arm(instant=True).assign(nowhere).status == 201


def test_custom_roles(arm: Arm) -> None:
    path = role(str(uuid.uuid4()))
    own = {
        "roleName": "Tea Drinker",
        "assignableScopes": [GROUP_ID],
        "permissions": [{"actions": ["Microsoft.Resources/subscriptions/resourceGroups/read"]}],
    }
    assert code(arm.call("GET", path)) == "RoleDefinitionDoesNotExist"
    made = arm.call("PUT", path, {"properties": own})
    assert (made.status, made.body["properties"]["type"]) == (201, "CustomRole")
    twin = arm.call("PUT", role(str(uuid.uuid4())), {"properties": own})
    assert (twin.status, code(twin)) == (409, "RoleDefinitionWithSameNameExists")
    listed = f"{GROUP_ID}/providers/Microsoft.Authorization/roleDefinitions"
    found = arm.call("GET", listed, **{"$filter": "type eq 'CustomRole'"}).body["value"]
    assert [one["properties"]["roleName"] for one in found] == ["Tea Drinker"]
    name = str(uuid.uuid4())
    assert arm.assign(name=name, roleDefinitionId=path).status == 201
    arm.simulator.clock.advance(700)
    arm.principal = arm.alice
    assert arm.call("GET", GROUP_ID).status == 200
    arm.principal = None
    assert code(arm.call("DELETE", path)) == "RoleDefinitionHasAssignments"
    arm.call("DELETE", f"{GROUP_ID}/providers/Microsoft.Authorization/roleAssignments/{name}")
    assert arm.call("DELETE", path).status == 200
    assert arm.call("DELETE", role(READER)).status == 403


def test_permissions_are_those_of_the_caller(arm: Arm) -> None:
    arm.simulator.access.grant(arm.alice, "Reader", GROUP_ID)
    arm.principal = arm.alice
    found = arm.call("GET", f"{GROUP_ID}/providers/Microsoft.Authorization/permissions").body["value"]
    assert [one["actions"] for one in found] == [["*/read"]]


def test_an_identity_is_made_once_and_stays_where_it_is(arm: Arm) -> None:
    made = arm.identity(tags={"a": "b"})
    assert (made.status, made.headers["Location"]) == (201, made.body["id"])
    again = arm.identity(tags={"a": "c"})
    assert (again.status, again.body["tags"]) == (200, {"a": "c"})
    assert again.body["properties"] == made.body["properties"]
    assert code(arm.identity(location="eastus")) == "InvalidResourceLocation"
    principal = made.body["properties"]["principalId"]
    assert arm.simulator.principals.get(principal)
    assert arm.call("DELETE", IDENTITY, version="2024-11-30").status == 200
    assert arm.simulator.principals.get(principal) is None
    assert arm.call("DELETE", IDENTITY, version="2024-11-30").status == 204


def test_federated_credentials(arm: Arm) -> None:
    assert code(arm.credential("tea")) == "ParentResourceNotFound"
    arm.identity()
    assert arm.credential("tea").status == 201
    assert arm.credential("tea", subject="other").status == 200
    assert arm.credential("cup", subject="other").status == 400
    assert arm.credential("cup", subject="").status == 400
    assert arm.credential("cup", audiences=["a", "b"]).status == 400
    for number in range(19):
        assert arm.credential(f"cup{number}", subject=f"s{number}").status == 201
    assert arm.credential("pot", subject="pot").status == 400
    assert arm.credential("tea", subject="still").status == 200
    path = f"{IDENTITY}/federatedIdentityCredentials/tea"
    assert arm.call("DELETE", path, version="2024-11-30").status == 200
    missing = arm.call("GET", path, version="2024-11-30")
    assert (missing.status, code(missing)) == (404, "NotFound")
    assert arm.credential("pot", subject="pot").status == 201


def test_two_credentials_cannot_be_written_at_the_same_time(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    arm.identity()
    answers: list[Answer] = []

    def meanwhile(seconds: float) -> None:
        assert seconds > 0
        other = threading.Thread(target=lambda: answers.append(arm.credential("cup", subject="cup")))
        other.start()
        other.join()

    with monkeypatch.context() as patch:
        patch.setattr(managedidentity.time, "sleep", meanwhile)
        assert arm.credential("tea").status == 201
    (refused,) = answers
    assert (refused.status, code(refused)) == (
        409,
        "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    )
    # One after another there is no quarrel.
    assert arm.credential("cup", subject="cup").status == 201


def test_who_gives_an_identity_away_must_be_allowed_to(arm: Arm) -> None:
    arm.identity()
    arm.simulator.access.grant(arm.alice, "Storage Account Contributor", GROUP_ID)
    arm.principal = arm.alice
    path = f"{GROUP_ID}/providers/Microsoft.Storage/storageAccounts/teas"
    body = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    refused = arm.call("PUT", path, body, version="2023-01-01")
    assert (refused.status, code(refused)) == (403, "LinkedAuthorizationFailed")
    arm.simulator.access.grant(arm.alice, "Managed Identity Operator", IDENTITY)
    assert arm.call("PUT", path, body, version="2023-01-01").status == 202


@pytest.mark.parametrize("name", ["ab", "-abc", "a.bc"])
def test_identities_and_credentials_have_plain_names(arm: Arm, name: str) -> None:
    path = IDENTITY.replace("drinker", name)
    assert arm.call("PUT", path, {"location": "westeurope"}, version="2024-11-30").status == 400
    arm.identity()
    assert arm.credential(name).status == 400


def test_an_identity_has_a_place_and_a_role_a_name(arm: Arm) -> None:
    assert code(arm.identity(location=None)) == "LocationRequired"
    assert arm.call("PUT", role(str(uuid.uuid4())), {"properties": {"roleName": "Tea"}}).status == 400
    own = {"properties": {"roleName": "Tea", "assignableScopes": [GROUP_ID]}}
    assert arm.call("PUT", role(READER), own).status == 403
