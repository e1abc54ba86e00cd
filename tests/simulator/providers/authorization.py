# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.Authorization: role assignments and what one may do. The rights themselves are `access`'s.

As recorded: statuses, keys, RoleAssignmentExists, RoleAssignmentNotFound, PrincipalNotFound, InvalidPrincipalId.
Second-hand, from bug reports: RoleAssignmentUpdateNotPermitted, UnmatchedPrincipalType, PrincipalTypeNotSupported.
"""

from __future__ import annotations

import re
from typing import Any

from ..access import ASSIGNMENTS
from ..arm import Answer, AzureError, Request, ResourceId, ResourceType
from . import authorization_roles
from .documents import azure_time, properties

GUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_EQUALS = re.compile(r"principalId eq '?\{?([0-9a-f-]+)\}?'?", re.IGNORECASE)
_ASSIGNED = re.compile(r"assignedTo\('([0-9a-f-]+)'\)", re.IGNORECASE)
OPTIONAL = ("condition", "conditionVersion", "delegatedManagedIdentityResourceId", "description")
KINDS = ("User", "Group", "ServicePrincipal", "ForeignGroup", "Device", "AgentUser", "AgentServicePrincipal")


def replayed(request: Request) -> bool:
    """Whether principals and roles are taken on trust: a recording's are not in this directory."""
    return request.principal is None and request.simulator.clock.instant


class RoleAssignments(ResourceType):
    type = ASSIGNMENTS

    # An extension as well. It looks for its scope itself, since a replay takes that on trust, too.
    @staticmethod
    def _need_scope(request: Request, scope: ResourceId) -> None:
        kind = request.simulator.router.types.get(scope.type.lower()) if scope.names else None
        if kind is not None and not replayed(request) and kind.load(request, scope) is None:
            raise kind.not_found(scope)

    def load(self, request: Request, rid: ResourceId) -> dict[str, Any] | None:
        self._need_scope(request, rid.scope)
        return super().load(request, rid)

    def not_found(self, rid: ResourceId) -> AzureError:
        return AzureError(404, "RoleAssignmentNotFound", f"The role assignment '{rid.name}' is not found.")

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if not GUID.fullmatch(rid.name):
            text = f"The role assignment ID '{rid.name}' is not valid. The role assignment ID must be a GUID."
            raise AzureError(400, "InvalidRoleAssignmentId", text)
        asked = properties(request.body)
        self._check(request, asked)
        if current is not None:
            return self._change(request, rid, current, asked)
        for other in request.simulator.store.all(ASSIGNMENTS):
            if self._same(other["properties"], {**asked, "scope": str(rid.scope)}):
                raise AzureError(409, "RoleAssignmentExists", "The role assignment already exists.")
        caller = request.principal.object_id if request.principal else "00000000-0000-0000-0000-000000000000"
        now = azure_time(request.simulator.clock.now())
        principal = request.simulator.principals.get(asked["principalId"])
        kind = asked.get("principalType") or (principal.kind if principal else "ServicePrincipal")
        own = {
            "roleDefinitionId": asked["roleDefinitionId"],
            "principalId": asked["principalId"],
            "principalType": kind,
            "scope": str(rid.scope),
            **{key: asked.get(key) for key in OPTIONAL},
            "createdOn": now,
            "updatedOn": now,
            "createdBy": caller,
            "updatedBy": caller,
        }
        assignment = {"properties": own, "id": str(rid), "type": self.type, "name": rid.name}
        assignment |= request.simulator.access.effective()
        request.simulator.store.put(rid, assignment)
        body = self.present(request, rid, assignment)
        body["properties"] = {**body["properties"], "createdBy": None}  # who made it is known a moment later
        return Answer(201, body)

    def _check(self, request: Request, asked: dict[str, Any]) -> None:
        who, role, kind = (str(asked.get(key) or "") for key in ("principalId", "roleDefinitionId", "principalType"))
        if not GUID.fullmatch(who):
            text = f"The Principal ID '{who}' is not valid. Principal ID must be a GUID."
            raise AzureError(400, "InvalidPrincipalId", text)
        if kind and kind not in KINDS:
            raise AzureError(400, "InvalidPrincipalType", f"The principal type '{kind}' is not valid.")
        if replayed(request):
            return
        if request.simulator.access.definition(role) is None:
            raise authorization_roles.missing(role.split("/")[-1])
        self._check_principal(request, who, kind)

    @staticmethod
    def _check_principal(request: Request, who: str, kind: str) -> None:
        directory = request.simulator.principals
        if directory.by_app(who):
            text = "Principals of type Application cannot validly be used in role assignments."
            raise AzureError(400, "PrincipalTypeNotSupported", text)
        # With its type given, Azure is documented not to look for a principal; reports say that it does at times.
        # The harder case is the one to try a client on.
        if not directory.known(who):
            text = (
                f"Principal {who.replace('-', '')} does not exist in the directory {request.simulator.tenant}. Check "
                "that you have the correct principal ID. If you are creating this principal and then immediately "
                "assigning a role, this error might be related to a replication delay. In this case, set the role "
                "assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See "
                "https://aka.ms/docs-principaltype"
            )
            raise AzureError(400, "PrincipalNotFound", text)
        real = directory.get(who).kind
        if kind and kind != real:
            text = f"The PrincipalId '{who.replace('-', '')}' has type '{real}' , which is different from specified "
            raise AzureError(400, "UnmatchedPrincipalType", f"{text}PrinciaplType '{kind}'.")

    @staticmethod
    def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
        """Tell whether principal, role and scope are the same."""
        role = [str(each["roleDefinitionId"]).split("/")[-1].lower() for each in (one, other)]
        rest = [[each[key].lower() for key in ("principalId", "scope")] for each in (one, other)]
        return role[0] == role[1] and rest[0] == rest[1]

    def _change(self, request: Request, rid: ResourceId, current: dict[str, Any], asked: dict[str, Any]) -> Answer:
        own = current["properties"]
        if not self._same(own, {**asked, "scope": own["scope"]}):
            text = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise AzureError(400, "RoleAssignmentUpdateNotPermitted", text)
        own |= {key: asked.get(key) for key in OPTIONAL}
        own["updatedOn"] = azure_time(request.simulator.clock.now())
        return Answer(201, self.present(request, rid, current))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        answer = super().delete(request, rid, current)
        if current is not None:
            answer.body = self.present(request, rid, current)
        return answer

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        body = super().present(request, rid, stored)
        hidden: tuple[str, ...] = ()
        if request.api_version < "2018":
            hidden = (*OPTIONAL, "principalType")
        elif request.api_version < "2020":
            hidden = OPTIONAL
        body["properties"] = {key: value for key, value in body["properties"].items() if key not in hidden}
        return body

    def collection(self, request: Request, rid_parent: ResourceId, items: list[dict[str, Any]]) -> Answer:
        del items
        self._need_scope(request, rid_parent)
        wanted = request.query.get("$filter", "")
        at_scope = "atscope()" in wanted.lower()
        found = []
        for one in request.simulator.store.all(ASSIGNMENTS):
            scope = ResourceId(one["properties"]["scope"])
            here = rid_parent.within(scope) or (scope.within(rid_parent) and not at_scope)
            if here and self._wanted(request, one["properties"]["principalId"], wanted):
                found.append(self.present(request, rid_parent, one))
        return Answer(200, {"value": found})

    @staticmethod
    def _wanted(request: Request, who: str, wanted: str) -> bool:
        equals, assigned = _EQUALS.search(wanted), _ASSIGNED.search(wanted)
        if equals:
            return who.lower() == equals[1].lower()
        if assigned:
            return who in request.simulator.principals.groups_of(assigned[1].lower())
        return True


class Permissions(ResourceType):
    """What the caller may do at a scope, through all of its roles there."""

    type = "Microsoft.Authorization/permissions"
    extension = True

    def collection(self, request: Request, rid_parent: ResourceId, items: list[dict[str, Any]]) -> Answer:
        del items
        simulator = request.simulator
        if request.principal is None:
            every = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
            return Answer(200, {"value": [every]})
        value = []
        for one in simulator.access._assignments(request.principal, rid_parent, data=False):
            definition = simulator.access.definition(one["properties"]["roleDefinitionId"])
            value += definition["properties"]["permissions"] if definition else []
        return Answer(200, {"value": value})


TYPES = [RoleAssignments(), Permissions(), *authorization_roles.TYPES]
