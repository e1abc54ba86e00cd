# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role assignments: who may do what, where."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from ...errors import MatchaError
from ..arm import Arm
from ..errors import AzureError
from ..kind import Params
from ..options import Document, Option, Options, below, same_exactly, same_text
from .plain import PlainKind

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
PROVIDER = "providers/Microsoft.Authorization"
OTHER = "Assign another role as another assignment, and remove this one."


def guid_of(role: Any) -> str:
    """Return the last part of a role's id, which is the same wherever the role is looked at from."""
    return str(role).rpartition("/")[2].casefold()


def same_role(wanted: Any, found: Any) -> bool:
    """Return whether two ids are of the same role."""
    return guid_of(wanted) == guid_of(found)


def place(scope: str) -> str:
    """Return a scope as paths begin with it."""
    return scope.rstrip("/")


def assignment_name(scope: str, principal: str, role: str) -> str:
    """Return the name that an assignment gets: the same for the same role, principal and scope."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{place(scope).lower()} {principal.lower()} {guid_of(role)}"))


OPTIONS: Options = {
    "scope": Option(azure="-", required=True),
    "name": Option(azure="-"),
    **below(
        "properties",
        {
            "role_definition": Option(azure="roleDefinitionId", required=True, same=same_role, immutable=OTHER),
            "principal_id": Option(immutable=OTHER),
            "principal_type": Option(
                choices=("User", "Group", "ServicePrincipal", "ForeignGroup", "Device"), immutable=OTHER
            ),
            "description": Option(same=same_exactly),
            "condition": Option(same=same_exactly),
            "condition_version": Option(choices=("1.0", "2.0")),
            "delegated_managed_identity_resource_id": Option(immutable=OTHER),
        },
    ),
}


class RoleAssignment(PlainKind):
    """An assignment. It is found by what it says, whatever its name is; Azure takes it only whole."""

    noun = "role assignment"
    path = "{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    api_version = "2022-04-01"
    patches = False
    read_only_properties = ("scope", "createdOn", "updatedOn", "createdBy", "updatedBy")
    # A new principal takes time to be known everywhere; somebody else was quicker.
    transient = ("PrincipalNotFound", "RoleAssignmentExists")
    options = OPTIONS
    timeout = 900

    def __init__(self) -> None:
        """Know nothing yet of the role, and of an assignment of it."""
        self._role = ""
        self._id = ""

    def complete(self, arm: Arm, params: Params) -> Params:
        """Mean who signs in, where the task names nobody."""
        if params.get("principal_id"):
            return params
        who, kind = arm.principal
        return {**params, "principal_id": who, "principal_type": kind}

    def id(self, arm: Arm, params: Params) -> str:
        """Return the assignment's id: the one it has, or the one that it gets."""
        if self._id:
            return self._id
        scope = place(params["scope"])
        name = params.get("name") or assignment_name(scope, params["principal_id"], self._role)
        return self.path.format(scope=scope, name=name)

    def label(self, params: Params) -> str:
        """Return what messages call the assignment."""
        return f"The role '{params['role_definition']}' of {params['principal_id']} at {params['scope']}"

    def read(self, arm: Arm, params: Params) -> Document | None:
        """Return the assignment of this role to this principal at this very scope."""
        self._id = ""
        if not GUID.fullmatch(params["principal_id"]):
            # A plan's word for who is yet to be made.
            self._role = params["role_definition"]
            return None
        try:
            there = list(self.listing(arm, params))
        except AzureError as error:
            if error.status != 404:
                raise
            there = []
        scope = place(params["scope"])
        here = [each["properties"] for each in there if same_text(place(each["properties"]["scope"]), scope)]
        if params.get("state") == "absent" and not here:
            return None
        self._role = self._role or self._definition(arm, scope, params["role_definition"])
        for each in there:
            if each["properties"] in here and same_role(self._role, each["properties"]["roleDefinitionId"]):
                self._id = str(each["id"])
                return each
        return None

    def listing(self, arm: Arm, params: Params) -> Iterator[Document]:
        """Yield a principal's assignments around a scope; without a principal, those that count at the scope."""
        who = params.get("principal_id")
        query = quote(f"principalId eq '{who}'" if who else "atScope()")
        path = f"{place(params['scope'])}/{PROVIDER}/roleAssignments"
        yield from arm.pages(path, self.api_version, f"&$filter={query}")

    def _definition(self, arm: Arm, scope: str, role: str) -> str:
        """Return the id of a role that is named, or given by its id. Raises ``MatchaError`` where there is none."""
        parts = scope.split("/")
        around = f"/subscriptions/{parts[2]}" if parts[1:2] == ["subscriptions"] else ""
        if GUID.fullmatch(role):
            return f"{around}/{PROVIDER}/roleDefinitions/{role}"
        if "/" in role:
            return role
        if role in arm.roles:
            return arm.roles[role]
        query = quote("roleName eq '{}'".format(role.replace("'", "''")))
        # What is yet to be made knows no roles; all that it will know are known to its subscription.
        for where in dict.fromkeys((scope, around)):
            try:
                path = f"{where}/{PROVIDER}/roleDefinitions"
                found = list(arm.pages(path, self.api_version, f"&$filter={query}"))
            except AzureError as error:
                if error.status != 404:
                    raise
                continue
            if found:
                return arm.roles.setdefault(role, str(found[0]["id"]))
        raise MatchaError(
            f"There is no role '{role}' at {scope or '/'}: use the name as Azure writes it, such as AcrPull, or an id."
        )

    def adapt(self, params: Params, found: Document) -> Params:
        """Return the options with the role's id in place of its name."""
        version = params.get("condition_version") or ("2.0" if params.get("condition") else None)
        return {
            **params,
            "role_definition": self._role or params["role_definition"],
            "condition_version": version,
        }

    def writable(self, found: Document) -> Document:
        """Return what can be sent back; what is not set comes as null."""
        result = super().writable(found)
        result["properties"] = {key: value for key, value in result["properties"].items() if value is not None}
        return result
