# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure was really sent, as options, and what it really answered: the second run has nothing to do."""

from __future__ import annotations

import collections
import json
import lzma
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure.converge import SETTLED
from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.aks import AksCluster
from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.aks_maintenance import (
    AksMaintenanceConfiguration,
)
from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.aks_node_pool import AksNodePool
from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.identity import (
    FederatedCredential,
    UserAssignedIdentity,
)
from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.mysql import (
    Configuration,
    Database,
    FirewallRule,
    MysqlFlexibleServer,
)
from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.registry import ContainerRegistry
from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.role_assignment import RoleAssignment
from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.storage import (
    BlobService,
    Container,
    StorageAccount,
)
from ansible_collections.matcha.mlops.plugins.module_utils.azure.options import differences, leaves, params_of
from modules.type_check import ROOT, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.matcha.mlops.plugins.module_utils.azure.kind import Kind

SHARED = ROOT.parent / "shared" / "azure"
KINDS: dict[str, Kind] = {
    "microsoft.authorization/roleassignments": RoleAssignment(),
    "microsoft.containerregistry/registries": ContainerRegistry(),
    "microsoft.containerservice/managedclusters": AksCluster(),
    "microsoft.containerservice/managedclusters/agentpools": AksNodePool(),
    "microsoft.containerservice/managedclusters/maintenanceconfigurations": AksMaintenanceConfiguration(),
    "microsoft.dbformysql/flexibleservers": MysqlFlexibleServer(),
    "microsoft.dbformysql/flexibleservers/configurations": Configuration(),
    "microsoft.dbformysql/flexibleservers/databases": Database(),
    "microsoft.dbformysql/flexibleservers/firewallrules": FirewallRule(),
    "microsoft.managedidentity/userassignedidentities": UserAssignedIdentity(),
    "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials": FederatedCredential(),
    "microsoft.storage/storageaccounts": StorageAccount(),
    "microsoft.storage/storageaccounts/blobservices": BlobService(),
    "microsoft.storage/storageaccounts/blobservices/containers": Container(),
}
# The path says these.
IN_PATH = {("id",), ("name",), ("type",)}
LEFT_OUT = {
    # Changed by hand: the PUT of the identity is answered with another region than the GET after it.
    (
        "microsoft.managedidentity/userassignedidentities",
        "azure-service-operator/Test_MySQLServerWithKubernetesReferenceUserAssignedIdentity",
    ),
    # az starts a pool with the 0 that a stopped one counts, and Azure gives it its nodes back.
    ("microsoft.containerservice/managedclusters/agentpools", "azure-cli/acs/test_aks_nodepool_stop_and_start"),
}
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the recordings of Azure are not beside the repository")

Step = dict[str, Any]


def recorded(kind: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield each successful PUT of a type: its recording, what was sent, and what Azure had made of it."""
    for path in sorted(SHARED.glob("recordings*.jsonl.xz")):
        with lzma.open(path, "rt") as lines:
            for line in lines:
                recording = json.loads(line)
                steps = recording["interactions"]
                for number, step in enumerate(steps):
                    if step["method"] == "PUT" and step["status"] < 300 and type_of(step["path"]) == kind:
                        found = answer(steps[number:])
                        if found and isinstance(step["request"], dict):
                            yield recording["recording"], step["request"], found


def answer(steps: list[Step]) -> dict[str, Any] | None:
    """Return the resource as it was when Azure had done what the first step says, or at once where nobody looked."""
    path = steps[0]["path"].partition("?")[0].lower()
    for step in steps[1:]:
        if step["path"].partition("?")[0].lower() != path:
            continue
        if step["method"] != "GET":
            break
        found = step["response"]
        if step["status"] == 200 and found["properties"].get("provisioningState", "").lower() in SETTLED:
            return dict(found)
    found = steps[0]["response"]
    return found if isinstance(found, dict) else None


def flat(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Return the paths of everything that was sent, in lower case, lists left out of them."""
    if value == {} and not path:
        return set()
    if isinstance(value, dict) and value:
        return {found for key, each in value.items() for found in flat(each, (*path, key.lower()))}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {found for each in value for found in flat(each, path)}
    return {path}


@pytest.mark.parametrize("kind", KINDS)
def test_the_second_run_has_nothing_to_do(kind: str, record_property: pytest.RecordProperty) -> None:
    table = KINDS[kind]
    known = {tuple(step.lower() for step in path) for path in leaves(table.options)}
    count, sent, covered = 0, 0, 0
    missing: collections.Counter[str] = collections.Counter()
    wrong = []
    for recording, request, found in recorded(kind):
        if (kind, recording) in LEFT_OUT:
            continue
        count += 1
        params = params_of(table.options, request)
        changes = differences(table.options, table.adapt({**params, "append_tags": True}, found), found)
        wrong += [f"{recording}: {change}" for change in changes]
        paths = flat(request) - IN_PATH
        # An empty object or list is inside where a part of it has an option.
        inside = {path for path in paths if path and any(path[: len(each)] == each[: len(path)] for each in known)}
        sent, covered = sent + len(paths), covered + len(inside)
        missing.update(".".join(path) for path in paths - inside)
    assert count, "no recording has one"
    share = f"{covered} of {sent} recorded properties ({covered / sent:.1%}) in {count} requests"
    print(f"{kind}: {share}; most often without an option: {missing.most_common(5)}")
    record_property("covered", share)
    assert not wrong, "\n".join(wrong)
