# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task says of many resources: each one's kind, its options, and what it needs of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..errors import MatchaError
from .kind import Kind
from .kinds.aks import AksCluster
from .kinds.aks_maintenance import AksMaintenanceConfiguration
from .kinds.aks_node_pool import AksNodePool
from .kinds.identity import UserAssignedIdentity
from .kinds.key_vault import KeyVault
from .kinds.mysql import MysqlFlexibleServer
from .kinds.public_ip import PublicIpAddress
from .kinds.registry import ContainerRegistry
from .kinds.resource_group import ResourceGroup
from .kinds.role_assignment import RoleAssignment
from .kinds.storage import StorageAccount
from .module import spec_of

# By the names of their modules.
KINDS: dict[str, type[Kind]] = {
    "aks_cluster": AksCluster,
    "aks_maintenance_configuration": AksMaintenanceConfiguration,
    "aks_node_pool": AksNodePool,
    "container_registry": ContainerRegistry,
    "key_vault": KeyVault,
    "mysql_flexible_server": MysqlFlexibleServer,
    "public_ip_address": PublicIpAddress,
    "resource_group": ResourceGroup,
    "role_assignment": RoleAssignment,
    "storage_account": StorageAccount,
    "user_assigned_identity": UserAssignedIdentity,
}
# Beside the kind and its options.
OTHERS = ("after", "after_begin", "wait")
Value = Callable[[str, "tuple[str, ...]"], Any]


@dataclass
class Node:
    """One resource."""

    key: str
    module: str
    kind: Kind
    options: Mapping[str, Any]
    # Keys of the resources that must be there before.
    needs: frozenset[str]
    # Those that must have been begun before.
    follows: frozenset[str]
    # Whether it is waited for, whatever the task says of all.
    wait: bool | None

    @property
    def names_itself(self) -> bool:
        """Return whether its id is known without asking Azure."""
        return not isinstance(self.kind, RoleAssignment)

    def params(self, value: Value, others: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the options as a module has them, with what other resources have. Raises ``MatchaError``.

        ``others`` are added to them.
        """
        spec = spec_of(self.kind)
        found = ArgumentSpecValidator(spec).validate(filled({**(others or {}), **self.options}, value))
        if found.error_messages:
            raise MatchaError(f"{self.key}: {'; '.join(found.error_messages)}.")
        params: dict[str, Any] = found.validated_parameters
        secret = [name for name, each in spec.items() if each.get("no_log") and params.get(name)]
        if secret:
            raise MatchaError(f"{self.key}: {', '.join(secret)} would be shown here: name a file in its place.")
        return params


def filled(options: Any, value: Value) -> Any:
    """Return options with what other resources have in place of each ``{of: KEY.path}``."""
    if isinstance(options, Mapping):
        if set(options) == {"of"}:
            key, *path = str(options["of"]).split(".")
            return value(key, tuple(path))
        return {name: filled(each, value) for name, each in options.items()}
    return [filled(each, value) for each in options] if isinstance(options, list) else options


def named(options: Any) -> Iterator[str]:
    """Yield the keys of the resources that options name."""
    if isinstance(options, Mapping):
        if set(options) == {"of"}:
            yield str(options["of"]).partition(".")[0]
        else:
            for each in options.values():
                yield from named(each)
    elif isinstance(options, list):
        for each in options:
            yield from named(each)


def node_of(key: str, told: Any, common: Mapping[str, Any]) -> Node:
    """Return what a task says of one resource; ``common`` are options of all that have them."""
    modules = [name for name in told if name not in OTHERS] if isinstance(told, Mapping) else []
    if len(modules) != 1 or modules[0] not in KINDS:
        raise MatchaError(f"resources.{key} needs one of {', '.join(KINDS)}, with its options; beside it may be after.")
    kind = KINDS[modules[0]]()
    options = dict(told[modules[0]] or {})
    for name, value in common.items():
        if name in kind.options and name not in options and value is not None:
            options[name] = value
    needs = {*named(options), *(told.get("after") or ())}
    follows = frozenset(told.get("after_begin") or ())
    return Node(key, modules[0], kind, options, frozenset(needs), follows, told.get("wait"))


def nodes_of(told: Mapping[str, Any], only: Iterable[str] | None, common: Mapping[str, Any]) -> dict[str, Node]:
    """Return the resources that are meant, with all that they need. Raises ``MatchaError``."""
    nodes = {key: node_of(key, each, common) for key, each in told.items()}
    meant: dict[str, Node] = {}

    def take(key: str, path: tuple[str, ...]) -> None:
        if key in path:
            raise MatchaError(f"resources.{key} needs itself: {' needs '.join((*path[path.index(key) :], key))}.")
        if key not in nodes:
            raise MatchaError(f"resources.{path[-1]} needs {key}, which is none of them." if path else f"No {key}.")
        for other in sorted(nodes[key].needs | nodes[key].follows):
            take(other, (*path, key))
        meant[key] = nodes[key]

    for key in nodes if only is None else only:
        take(key, ())
    return meant
