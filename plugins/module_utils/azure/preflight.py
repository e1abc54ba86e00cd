# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be known before anything is made: one row for each thing that would stop it. Nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from functools import partial
from typing import Any
from urllib.parse import quote

from ..errors import MatchaError
from .arm import RESOURCES_API, SUBSCRIPTIONS_API, Arm
from .auth import Auth
from .errors import ADVICE, AzureError
from .kinds.aks_pool import DEFAULT_SIZE
from .options import same_location, same_text
from .preflight_machines import Machines
from .preflight_rows import Row, render
from .reach import reach
from .rights import missing_rights

Params = Mapping[str, Any]

# An option of names; what messages call it, its type, and the API version of the question.
NAMES = {
    "storage_accounts": ("storage account", "Microsoft.Storage/storageAccounts", "2024-01-01"),
    "container_registries": ("registry", "Microsoft.ContainerRegistry/registries", "2023-07-01"),
    "key_vaults": ("key vault", "Microsoft.KeyVault/vaults", "2023-07-01"),
    "mysql_flexible_servers": ("MySQL server", "Microsoft.DBforMySQL/flexibleServers", "2023-12-30"),
}
MEND = "Mend what Azure's message names, or leave this check out."
DELETED_VAULT = " A vault of yours that was deleted keeps its name: recover it, or purge it (az keyvault list-deleted)."


class PreflightError(MatchaError):
    """Something would stop what is to come. The message is the table."""

    def __init__(self, rows: list[Row]) -> None:
        """Say what failed."""
        self.rows = rows
        super().__init__(render(rows))

    @property
    def details(self) -> dict[str, Any]:
        """Return the table, for a module's result."""
        return {"checks": [asdict(row) for row in self.rows], "passed": False}


def run(params: Params, _check_mode: bool) -> dict[str, Any]:
    """Check everything that the task names; return the module's result. Raises ``MatchaError``."""
    params = {**params, "vm_sizes": [*(params["vm_sizes"] or ()), *map(machines_of, params["node_pools"] or ())]}
    if params["vm_sizes"] and not params["location"]:
        raise MatchaError("Set location: sizes and quotas are a region's.")
    vague = [each for name in ("actions", "data_actions") for each in params[name] or () if "*" in each]
    if vague:
        raise MatchaError(
            f"Name actions whole, without '*' ({', '.join(vague)}): a role can leave out a part of those."
        )
    arm = Arm(Auth.of(params), params["timeout"])
    rows = list(_rows(arm, params))
    passed = all(row.passed for row in rows)
    if params["fail_on_error"] and not passed:
        raise PreflightError(rows)
    return {
        "changed": False,
        "checks": [asdict(row) for row in rows],
        "passed": passed,
        "msg": render(rows),
        "warnings": arm.warnings,
    }


def machines_of(pool: Params) -> dict[str, Any]:
    """Return the machines of a node pool of AKS, all that it can grow to. Raises ``MatchaError``."""
    count = str(pool.get("max_count") or pool.get("count") or 1)
    if not count.isdigit():
        raise MatchaError(f"The node pool '{pool.get('name')}' has {count} nodes: set count or max_count to a number.")
    return {
        "size": pool.get("vm_size") or DEFAULT_SIZE,
        "count": int(count),
        "spot": pool.get("scale_set_priority") == "Spot",
        "zones": pool.get("availability_zones"),
    }


def _rows(arm: Arm, params: Params) -> Iterator[Row]:
    first = list(_guarded("subscription", partial(_subscription, arm)))
    yield from first
    if all(row.passed for row in first):
        for label, check in _checks(arm, params):
            yield from _guarded(label, check)
    for endpoint in params["endpoints"] or ():
        yield reach(endpoint, params["endpoint_timeout"])


def _checks(arm: Arm, params: Params) -> Iterator[tuple[str, Callable[[], Iterable[Row]]]]:
    """Yield what the task names, and what it is called where Azure refuses to answer."""
    location = params["location"]
    if location:
        yield f"region {location}", partial(_region, arm, location)
    for namespace in params["providers"] or ():
        yield f"provider {namespace}", partial(_provider, arm, namespace)
    if params["vm_sizes"]:
        yield "VM sizes", partial(Machines(arm, location).check, params["vm_sizes"])
    for option, names in (params["names"] or {}).items():
        for name in names or ():
            label = f"{NAMES[option][0]} {name}"
            yield label, partial(_name, arm, label, option, name, params["resource_group"])
    for kind, property_ in (("actions", "actions"), ("data_actions", "dataActions")):
        if params[kind]:
            yield kind.replace("_", " "), partial(_rights, arm, params["scope"] or "", params[kind], property_)


def _guarded(name: str, check: Callable[[], Iterable[Row]]) -> Iterator[Row]:
    """Yield a check's rows; what Azure refuses is a row too, so that one question does not hide the others."""
    try:
        yield from check()
    except AzureError as error:
        about = f" ({error.code}, correlation id {error.correlation_id})" if error.correlation_id else ""
        yield Row(name, False, f"{error.message.rstrip('. ')}{about}", ADVICE.get(error.code, MEND))


def _subscription(arm: Arm) -> Iterator[Row]:
    found = arm.request("GET", f"/subscriptions/{arm.subscription}", SUBSCRIPTIONS_API)
    detail = f"{found.get('displayName')} ({arm.subscription}) is {found.get('state')}"
    yield Row("subscription", found.get("state") == "Enabled", detail, "Ask who pays for it, or take another one.")


def _region(arm: Arm, location: str) -> Iterator[Row]:
    regions = list(arm.pages(f"/subscriptions/{arm.subscription}/locations", SUBSCRIPTIONS_API))
    for each in regions:
        if same_location(location, each["name"]) or same_location(location, each.get("displayName")):
            yield Row(f"region {each['name']}", True, str(each.get("displayName")))
            return
    near = get_close_matches(location.replace(" ", "").casefold(), [each["name"] for each in regions], n=1)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    advice = f"{hint}az account list-locations names all."
    yield Row(f"region {location}", False, "is none of this subscription's", advice)


def _provider(arm: Arm, namespace: str) -> Iterator[Row]:
    found = arm.request("GET", f"/subscriptions/{arm.subscription}/providers/{namespace}", RESOURCES_API)
    state = str(found.get("registrationState"))
    advice = f"Register it: az provider register --namespace {namespace}."
    yield Row(f"provider {namespace}", state in ("Registered", "Registering"), state, advice)


def _name(arm: Arm, label: str, option: str, name: str, group: str | None) -> Iterator[Row]:
    _noun, kind, api_version = NAMES[option]
    path = f"/subscriptions/{arm.subscription}/providers/{kind.partition('/')[0]}/checkNameAvailability"
    found = arm.request("POST", path, api_version, {"name": name, "type": kind})
    if found.get("nameAvailable"):
        yield Row(label, True, "is free")
        return
    taken = found.get("reason") == "AlreadyExists"
    owner = _group_of(arm, kind, name) if taken else ""
    if owner and (not group or same_text(owner, group)):
        yield Row(label, True, f"is yours already, in the resource group {owner}")
        return
    detail = f"is yours, in the resource group {owner}" if owner else str(found.get("message") or found.get("reason"))
    advice = "Choose another name: all of Azure shares them." if taken else "Choose a name that Azure allows."
    yield Row(label, False, detail, advice + (DELETED_VAULT if taken and option == "key_vaults" and not owner else ""))


def _group_of(arm: Arm, kind: str, name: str) -> str:
    """Return the resource group in which the subscription itself has a resource of this name; empty if in none."""
    only = quote(f"resourceType eq '{kind}' and name eq '{name}'")
    for each in arm.pages(f"/subscriptions/{arm.subscription}/resources", RESOURCES_API, f"&$filter={only}"):
        if same_text(each["name"], name) and same_text(each["type"], kind):
            return str(each["id"]).split("/")[4]
    return ""


def _rights(arm: Arm, scope: str, wanted: Sequence[str], kind: str) -> Iterator[Row]:
    label = "actions" if kind == "actions" else "data actions"
    where, missing = missing_rights(arm, scope, wanted, kind)
    if not missing:
        yield Row(label, True, f"all {len(wanted)} are granted at {where}")
        return
    advice = "Grant the credential a role that has them (a new grant takes minutes to work)."
    yield Row(label, False, f"not granted at {where}: {', '.join(missing)}", advice)
