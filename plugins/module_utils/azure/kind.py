# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kind of resource: its options, and how Azure is asked about it. Most need no more than their table."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from .arm import Arm
from .errors import AzureError
from .options import Change, Document, Option, Options, same_exactly, same_location, same_text

Params = Mapping[str, Any]

LOCATION = Option(
    same=same_location,
    immutable="Azure moves nothing to another region: take another name, or delete it first.",
)
# Azure keeps tags as they were written.
TAGS: dict[str, Option] = {
    "tags": Option(type="dict", same=same_exactly),
    "append_tags": Option(type="bool", default=True, azure="-"),
}
USER_ASSIGNED = "identity.userAssignedIdentities"
BROKEN = ("failed", "canceled")
SETTLED = ("", "succeeded", "ready", *BROKEN)


class Kind:
    """A kind of resource, as the SDK's generic client sees it. A subclass says what is different.

    A document is a resource as Azure answers it, or as much of it as Azure is sent.
    """

    # What messages call it.
    noun: ClassVar[str]
    # Where it is, with the names of options in braces; ``{group}`` is the path of the resource group.
    path: ClassVar[str]
    api_version: ClassVar[str]
    # What a task can say of it.
    options: ClassVar[Options]
    # Options whose elements are resources of their own below this one; what the task does not list stays.
    children: ClassVar[Mapping[str, Kind]] = {}
    # A change is sent as a part (PATCH); else all of the resource is sent (PUT).
    patches: ClassVar[bool] = True
    # What Azure tells but does not take: paths, in which ``*`` is every name. Lists are looked through.
    read_only: ClassVar[tuple[str, ...]] = (
        "id", "name", "type", "systemData", "etag", "identity.principalId", "identity.tenantId", f"{USER_ASSIGNED}.*.*",
    )  # fmt: skip
    read_only_properties: ClassVar[tuple[str, ...]] = ("provisioningState",)
    # Azure makes one by itself, which is this, with the resource above.
    born: ClassVar[Document | None] = None
    # Codes of refusals that pass by themselves, for this kind.
    transient: ClassVar[tuple[str, ...]] = ()
    # Properties that no result may hold.
    secrets: ClassVar[tuple[str, ...]] = ()
    # What a task can say of the resource's being there.
    states: ClassVar[tuple[str, ...]] = ("present", "absent")
    # How many seconds a task waits at most, unless it says so.
    timeout: ClassVar[int] = 3600

    # Where it is

    def id(self, arm: Arm, params: Params) -> str:
        """Return the resource's id."""
        group = f"/subscriptions/{arm.subscription}"
        if params.get("resource_group"):
            group += f"/resourceGroups/{params['resource_group']}"
        return self.path.format(**{**params, "group": group, "subscription": arm.subscription})

    def label(self, params: Params) -> str:
        """Return what messages call the resource."""
        return f"The {self.noun} '{params['name']}'"

    # How Azure is asked; each raises AzureError

    def read(self, arm: Arm, params: Params) -> Document | None:
        """Return the resource as it is, or None where there is none."""
        try:
            found: Document = arm.request("GET", self.id(arm, params), self.api_version)
        except AzureError as error:
            if error.status == 404:
                return None
            raise
        return found

    def listing(self, arm: Arm, params: Params) -> Iterator[Document]:
        """Yield the resources of this kind in the same place, which is the subscription if no group is named."""
        yield from arm.pages(self.id(arm, params).rpartition("/")[0], self.api_version)

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Make the resource, or send all of it again. Return it as Azure answers it, if it does."""
        begin = arm.resources.resources.begin_create_or_update_by_id
        return self._finish(arm, params, begin, self.id(arm, params), body, api_version=self.api_version)

    def patch(self, arm: Arm, params: Params, body: Document) -> Document | None:
        """Change a part of the resource."""
        from .pipeline import created_is_accepted

        begin = arm.resources.resources.begin_update_by_id
        options = {"api_version": self.api_version, "raw_response_hook": created_is_accepted}
        return self._finish(arm, params, begin, self.id(arm, params), body, **options)

    def delete(self, arm: Arm, params: Params) -> None:
        """Delete the resource."""
        begin = arm.resources.resources.begin_delete_by_id
        self._finish(arm, params, begin, self.id(arm, params), api_version=self.api_version)

    def _finish(self, arm: Arm, params: Params, *arguments: Any, **options: Any) -> Document | None:
        answer = arm.finish(self.label(params), *arguments, wait=params.get("wait", True), **options)
        # Some answer with the operation, where it isn't waited for.
        return answer if answer and answer.get("id") else None

    # What is particular to it

    def provisioning_state(self, found: Document) -> str:
        """Return what Azure is doing to the resource, or how that ended, in lower case."""
        return str((found.get("properties") or {}).get("provisioningState") or "").casefold()

    def passes(self, error: AzureError, params: Params) -> bool:
        """Return whether a refusal passes by itself."""
        return error.busy or error.code in self.transient

    def reachable(self, params: Params, found: Document | None) -> bool:
        """Return whether what is below the resource can be looked at, and changed."""
        return bool(params.get("wait", True)) or (found is not None and self.provisioning_state(found) in SETTLED)

    def elements(self, wanted: Any) -> Iterable[Params]:
        """Return what a task says of each resource of this kind below another.

        A dictionary in place of a list means the one resource of its kind, which Azure calls ``default``.
        """
        return [{"name": "default", **wanted}] if isinstance(wanted, Mapping) else wanted

    def complete(self, arm: Arm, params: Params) -> Params:
        """Return the options with what only the sign-in tells."""
        del arm
        return params

    def check(self, params: Params) -> None:
        """Raise ``MatchaError`` if the options contradict each other."""

    def defaults(self, params: Params) -> Document:
        """Return what a new resource has where the task does not say otherwise."""
        return {}

    def adapt(self, params: Params, found: Document) -> Params:
        """Return the options in the light of what is there, such as tags that are added to others."""
        if params.get("tags") is not None and params.get("append_tags", True):
            return {**params, "tags": {**(found.get("tags") or {}), **params["tags"]}}
        return params

    def refuse(self, params: Params, found: Document, changes: list[Change]) -> None:
        """Raise ``AzureError`` if Azure cannot make a change to what is there."""
        for change in changes:
            if self.fixed(change):
                raise AzureError(
                    self.label(params), f"{change}, which cannot be changed. {change.option.immutable}", "Immutable"
                )

    def fixed(self, change: Change) -> bool:
        """Return whether Azure cannot make a change. What it does not tell may be set yet, for all we know."""
        return bool(change.option.immutable) and change.before is not None

    def writable(self, found: Document) -> Document:
        """Return what of a resource can be sent back."""
        result = copy.deepcopy(found)
        for path in (*self.read_only, *(f"properties.{each}" for each in self.read_only_properties)):
            forget(result, path.split("."))
        return result

    def tidy(self, body: Document) -> Document:
        """Return a body as Azure takes it: only some types of identity come with a list of identities."""
        kind = (body.get("identity") or {}).get("type")
        if kind and "userassigned" not in kind.casefold():
            forget(body, USER_ASSIGNED.split("."))
        return body

    def repair(self, found: Document) -> Change:
        """Return what sending a resource again does, after an operation on it failed or was cancelled."""
        state = found["properties"]["provisioningState"]
        return Change(("properties", "provisioningState"), state, "Succeeded", "provisioning_state", Option())

    def listed(self, params: Params) -> bool:
        """Return whether a list tells of a resource all that the options name."""
        return True

    def before(self, arm: Arm, params: Params, found: Document, check_mode: bool) -> list[Change]:
        """Do what must be done before a comparison makes sense. Return what was, or would be, changed."""
        return []

    def after(self, arm: Arm, params: Params, found: Document, check_mode: bool) -> list[Change]:
        """Do what comes last. Return what was, or would be, changed."""
        return []

    def shown(self, found: Document) -> Document:
        """Return the resource without its secrets."""
        result = copy.deepcopy(found)
        for key in self.secrets:
            (result.get("properties") or {}).pop(key, None)
        return result


def forget(found: Any, path: list[str]) -> None:
    """Remove what is at a path from a document."""
    if isinstance(found, list):
        for each in found:
            forget(each, path)
    elif isinstance(found, dict):
        first, *rest = path
        for name in [name for name in found if first == "*" or same_text(first, name)]:
            if rest:
                forget(found[name], rest)
            else:
                del found[name]
