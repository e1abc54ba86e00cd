# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All resources of a deployment: which are its own, which are somebody else's, and how its own are removed.

Its own are those that carry its tag, and are recorded, or lie in a group that it made. Nothing else is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..errors import MatchaError
from .arm import RESOURCES_API, Arm
from .converge import converge
from .errors import AzureError
from .graph_nodes import KINDS
from .kind import Kind, Params
from .kinds.role_assignment import RoleAssignment
from .options import Document, dig, same_text

WIDTH = 8
CLUSTERS = "microsoft.containerservice/managedclusters"
IDENTITIES = "microsoft.managedidentity/userassignedidentities"
# What only goes once the cluster that uses it is gone.
AFTER_CLUSTER = ("microsoft.network/publicipaddresses", IDENTITIES, "microsoft.compute/disks")
# Of what clusters make beside themselves.
VERSIONS = {"microsoft.compute/disks": "2024-03-02", "microsoft.compute/snapshots": "2024-03-02"}
KUBELET = ("properties", "identityProfile", "kubeletidentity", "objectId")
PRINCIPAL = ("properties", "principalId")


class Other(Kind):
    """A resource of a type that no module is for, such as a disk of a cluster's."""

    noun = "resource"
    path = "{id}"

    def __init__(self, api_version: str) -> None:
        """Take the version of its provider's interface."""
        self.version = api_version

    @property
    def api_version(self) -> str:  # type: ignore[override]
        """The version of its provider's interface."""
        return self.version


def kinds_by_type() -> dict[str, type[Kind]]:
    """Return the kinds of resources that have a place of their own, by their types."""
    found = {}
    for kind in KINDS.values():
        provider, _slash, rest = kind.path.partition("/providers/")[2].partition("/")
        if provider and rest.count("/") == 1:
            found[f"{provider}/{rest.partition('/')[0]}".casefold()] = kind
    return found


def type_of(resource: Mapping[str, Any]) -> str:
    """Return a resource's type, in lower case."""
    return str(resource["type"]).casefold()


def group_of(resource: Mapping[str, Any]) -> str:
    """Return the name of a resource's group, in lower case."""
    return str(resource["id"]).split("/")[4].casefold()


@dataclass
class Resources:
    """What there is, as a destroy sees it."""

    # The deployment's own, those of them that are kept, and what is somebody else's.
    own: list[Document] = field(default_factory=list)
    kept: list[Document] = field(default_factory=list)
    foreign: list[Document] = field(default_factory=list)

    def result(self) -> dict[str, list[str]]:
        """Return their ids."""
        return {name: sorted(str(each["id"]) for each in getattr(self, name)) for name in ("own", "kept", "foreign")}


def look(arm: Arm, params: Params) -> Resources:
    """Return all that lies in the deployment's group or carries its tag. Raises ``AzureError``."""
    (name, value), *_none = params["deployment_tag"].items()
    within = f"/subscriptions/{arm.subscription}/resourceGroups/{params['resource_group']}/resources"
    tagged = f"&$filter={quote(f'tagName eq {name!r} and tagValue eq {value!r}')}"
    found: dict[str, Document] = {}
    for each in (*_listed(arm, within), *_listed(arm, f"/subscriptions/{arm.subscription}/resources", tagged)):
        found.setdefault(str(each["id"]).casefold(), each)
    recorded = {str(each).casefold() for each in params["inventory"]}
    result = Resources()
    for key, each in found.items():
        here = params["resource_group_created"] and same_text(group_of(each), params["resource_group"])
        if (each.get("tags") or {}).get(name) != value or not (key in recorded or here):
            result.foreign.append(each)
        elif _kept(each, params["keep"]):
            result.kept.append(each)
        else:
            result.own.append(each)
    nodes = {group.casefold() for group in _groups_of_nodes(arm, result.own)}
    # AKS gives a cluster's tags to what it makes for it, which goes with it.
    result.foreign = [each for each in result.foreign if group_of(each) not in nodes]
    return result


def _listed(arm: Arm, path: str, query: str = "") -> list[Document]:
    try:
        return list(arm.pages(path, RESOURCES_API, query))
    except AzureError as error:
        if error.status != 404:
            raise
        return []


def _kept(resource: Document, keep: Iterable[str]) -> bool:
    return any(each.casefold() in (type_of(resource), str(resource["id"]).casefold()) for each in keep)


def _groups_of_nodes(arm: Arm, own: Iterable[Document]) -> list[str]:
    found = [_read(arm, each) for each in own if type_of(each) == CLUSTERS]
    return [str(dig(each, ("properties", "nodeResourceGroup")) or "") for each in found if each]


def _place(resource: Document) -> dict[str, Any]:
    return {"id": resource["id"], "name": resource["name"], "resource_group": str(resource["id"]).split("/")[4]}


def _kind(arm: Arm, resource: Document) -> Kind:
    kind = kinds_by_type().get(type_of(resource))
    return kind() if kind else Other(version_of(arm, str(resource["type"])))


def _read(arm: Arm, resource: Document) -> Document | None:
    return _kind(arm, resource).read(arm, _place(resource))


def version_of(arm: Arm, resource_type: str) -> str:
    """Return the version of a provider's interface that is known, or its newest one. Raises ``MatchaError``."""
    if resource_type.casefold() in VERSIONS:
        return VERSIONS[resource_type.casefold()]
    namespace, _slash, name = resource_type.partition("/")
    found = arm.request("GET", f"/subscriptions/{arm.subscription}/providers/{namespace}", RESOURCES_API)
    for each in found.get("resourceTypes") or ():
        if same_text(each["resourceType"], name):
            versions = sorted(each.get("apiVersions") or (), reverse=True)
            stable = [version for version in versions if "preview" not in version]
            if stable or versions:
                return str((stable or versions)[0])
    raise MatchaError(f"Azure does not tell how to remove a {resource_type}: remove it by hand, then run this again.")


def remove(arm: Arm, params: Params, found: Resources) -> None:
    """Remove the deployment's own resources, and the rights of its identities. Raises ``MatchaError``."""
    for principal in _principals(arm, found.own):
        _revoke(arm, principal)
    first = [each for each in found.own if type_of(each) not in AFTER_CLUSTER]
    rest = [each for each in found.own if type_of(each) in AFTER_CLUSTER]
    problems: list[str] = []
    for step in (first, rest):
        with ThreadPoolExecutor(WIDTH) as pool:
            results = list(pool.map(lambda each: _remove(arm.twin(), params, each), step))
        problems += [problem for problem in results if problem]
        if problems:
            raise MatchaError("\n".join(problems))


def _principals(arm: Arm, own: Iterable[Document]) -> list[str]:
    """Return the object ids of what goes and can have rights: identities, and a cluster's kubelet."""
    paths = {IDENTITIES: PRINCIPAL, CLUSTERS: KUBELET}
    found = [dig(_read(arm, each) or {}, paths[type_of(each)]) for each in own if type_of(each) in paths]
    return [str(each) for each in found if each]


def _revoke(arm: Arm, principal: str) -> None:
    around = {"scope": f"/subscriptions/{arm.subscription}", "principal_id": principal}
    kind = RoleAssignment()
    for each in list(kind.listing(arm, around)):
        arm.request("DELETE", str(each["id"]), kind.api_version)


def _remove(arm: Arm, params: Params, resource: Document) -> str:
    """Return what stood in the way; empty if it is gone."""
    kind = _kind(arm, resource)
    options = {**_place(resource), "state": "absent", "wait": True, "purge": params["purge"]}
    try:
        converge(kind, arm, options, check_mode=False)
    except MatchaError as error:
        return str(error)
    return ""
