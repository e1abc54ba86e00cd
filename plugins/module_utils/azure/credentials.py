# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access to AKS clusters: what Azure hands out, and the ways to sign in with Entra ID."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from ..errors import MatchaError
from ..files import alone
from .arm import Arm, explaining, plain
from .auth import Auth, claims
from .errors import AzureError
from .kubeconfig import MODE, SECTIONS, Access, Kubeconfig, kubeconfig_path, parse, shown

Params = Mapping[str, Any]
Document = dict[str, Any]

# The application of Entra ID that stands for the API server of every AKS cluster.
SERVER_APPLICATION = "6dae42f8-4368-4678-94ff-3960e28e3630"
# What each way of kubelogin's takes beside the server's application; what is not told comes from its environment.
LOGINS: dict[str, tuple[str, ...]] = {
    "azurecli": (),
    "devicecode": ("--client-id", "--tenant-id", "--environment"),
    "interactive": ("--client-id", "--tenant-id", "--environment"),
    "msi": ("--client-id",),
    "spn": ("--client-id", "--tenant-id", "--environment"),
    "workloadidentity": ("--client-id",),
}
# Ways for a person use the application that stands for kubectl, which Azure names.
PERSONAL = ("devicecode", "interactive")
# What can be asked for beside who signs in; documented by the module aks_credentials.
SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "resource_group": {"type": "str"},
    "cluster_name": {"type": "str"},
    "admin": {"type": "bool", "default": False},
    "path": {"type": "path"},
    "context": {"type": "str"},
    "set_current_context": {"type": "bool", "default": False},
    "login": {"type": "str", "choices": list(LOGINS)},
    "login_client_id": {"type": "str"},
    "token": {"type": "bool", "default": False, "no_log": False},
    "public_fqdn": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 300},
}
# Seconds for which a token must be good, so that what comes next in a playbook can use it.
STILL_GOOD = 900


def fetch(arm: Arm, params: Params) -> Access:
    """Return a cluster's access as Azure hands it out. Raises ``AzureError``, ``MatchaError``."""
    group, name = params["resource_group"], params["cluster_name"]
    clusters = arm.containers.managed_clusters
    call = clusters.list_cluster_admin_credentials if params["admin"] else clusters.list_cluster_user_credentials
    options = {} if params["admin"] else {"format": "exec"}
    if params["public_fqdn"]:
        options["server_fqdn"] = "public"
    label = f"The credentials of the AKS cluster '{name}'"
    while True:
        try:
            with explaining(label):
                found = plain(call(group, name, **options))
            break
        except AzureError as error:
            if not error.busy:
                raise _refused(params, error) from error
        arm.deadline.pause(label)
    return read_access(base64.b64decode(found["kubeconfigs"][0]["value"]).decode(), label)


def _refused(params: Params, error: AzureError) -> MatchaError:
    """Say what to do where Azure hands out no certificates, because local accounts are off."""
    if "local accounts" not in error.message.casefold():
        return error
    if params["admin"]:
        advice = "set admin=false, with token=true for a playbook, or with login for a person who has kubelogin"
    else:
        advice = "sign in with Entra ID (aad_profile of matcha.mlops.aks_cluster), or switch local accounts on"
    return MatchaError(f"{str(error).rstrip('. ')}. The cluster has its local accounts switched off: {advice}.")


def read_access(text: str, what: str) -> Access:
    """Return the entries of a kubeconfig's current context. Raises ``MatchaError``."""
    document = parse(text, what)

    def entry(section: str, name: Any) -> Document:
        found = [each for each in document.get(section) or () if each.get("name") == name]
        if not found or not found[0].get(SECTIONS[section]):
            raise MatchaError(f"{what} cannot be read: Azure's kubeconfig has no entry in {section} for its context.")
        return dict(found[0][SECTIONS[section]])

    context = entry("contexts", document.get("current-context"))
    cluster, user = context.get("cluster"), context.get("user")
    return Access(str(cluster), str(user), entry("clusters", cluster), entry("users", user))


def signs_in_with_entra(access: Access) -> bool:
    """Return whether a program is to fetch a token of Entra ID, in place of a certificate."""
    return "exec" in access.user


def _argument(access: Access, name: str) -> str:
    arguments = access.user["exec"].get("args") or []
    return next((str(after) for each, after in zip(arguments, arguments[1:]) if each == name), "")


def with_login(access: Access, method: str, client_id: str) -> Access:
    """Return the access with another way to sign in, as ``kubelogin convert-kubeconfig`` writes it."""
    told = {name: _argument(access, name) for name in ("--client-id", "--tenant-id", "--environment")}
    if client_id or method not in PERSONAL:
        told["--client-id"] = client_id
    server = _argument(access, "--server-id") or SERVER_APPLICATION
    arguments = ["get-token", "--login", method, "--server-id", server]
    for name in LOGINS[method]:
        arguments += [name, told[name]] if told[name] else []
    return replace(access, user={"exec": {**access.user["exec"], "command": "kubelogin", "args": arguments}})


def with_token(arm: Arm, access: Access) -> Access:
    """Return the access with a token of our own sign-in. Raises ``AzureError``."""
    server = _argument(access, "--server-id") or SERVER_APPLICATION
    with explaining(f"The token for the AKS cluster '{access.cluster_name}'"):
        token = arm.credential.get_token(f"{server}/.default").token
    return replace(access, user={"token": token})


def keep_token(access: Access, there: Mapping[str, Any]) -> Access:
    """Return the access with the token that is there, if it is the same one's and good for a while: nothing changes."""
    old, new = claims(there.get("token")), claims(access.user.get("token"))
    same = all(old.get(name) == new.get(name) for name in ("aud", "tid", "oid", "appid", "azp", "sub"))
    if not new or not same or float(old.get("exp") or 0) < time.time() + STILL_GOOD:
        return access
    return replace(access, user={"token": there["token"]})


def apply(params: Params, check_mode: bool) -> dict[str, Any]:
    """Bring a file to what the task says; return the module's result. Raises ``MatchaError``, ``OSError``."""
    _check(params)
    path = kubeconfig_path(params["path"])
    context = params["context"] or default_context(params)
    if params["state"] == "absent":
        change: Callable[[Kubeconfig], Access | None] = partial(_remove, context)
        warnings: list[str] = []
        there = path.exists()
    else:
        arm = Arm(Auth.of(params), params["timeout"])
        access = _access(arm, params)
        change, warnings, there = partial(_put, context, params, access), arm.warnings, True
    # One process at a time reads and writes the file; without one there is nothing to remove.
    with nullcontext() if check_mode or not there else alone(path.resolve().parent):
        config = Kubeconfig(path)
        before, current = config.entries(context), config.document.get("current-context")
        access_now = change(config)
        if config.changed and not check_mode:
            config.save()
    return {**_result(config, context, before, current, access_now), "warnings": warnings}


def default_context(params: Params) -> str:
    """Return what ``az aks get-credentials`` calls a cluster's context."""
    return f"{params['cluster_name']}-admin" if params["admin"] else str(params["cluster_name"])


def _check(params: Params) -> None:
    present = params["state"] == "present"
    if present and not (params["resource_group"] and params["cluster_name"]):
        raise MatchaError("Set resource_group and cluster_name, which say whose credentials are asked for.")
    if not present and not (params["context"] or params["cluster_name"]):
        raise MatchaError("Set context, or cluster_name, which say what is to be removed.")
    named = [name for name in ("admin", "login", "token") if params[name]]
    if present and len(named) > 1:
        raise MatchaError(f"Set only one of {', '.join(named)}: each is another way to sign in.")


def _access(arm: Arm, params: Params) -> Access:
    access = fetch(arm, params)
    if not signs_in_with_entra(access):
        # The certificate that Azure hands out is all that such a cluster wants.
        return access
    if params["token"]:
        return with_token(arm, access)
    return with_login(access, params["login"], params["login_client_id"] or "") if params["login"] else access


def _put(context: str, params: Params, access: Access, config: Kubeconfig) -> Access:
    there = config.get("users", (config.get("contexts", context) or {}).get("user")) or {}
    access = keep_token(access, there) if "token" in access.user else access
    config.put(context, access, params["set_current_context"])
    return access


def _remove(context: str, config: Kubeconfig) -> None:
    config.remove(context)


def _result(
    config: Kubeconfig, context: str, old: list[Document], current: Any, access: Access | None
) -> dict[str, Any]:
    """Return what was, or would be, done. The file's content is no part of it."""
    new = config.entries(context)
    before, after = shown(old), shown(new)
    what = "added" if not old else "changed" if new else "removed"
    diff = {
        side: {"path": str(config.path), "mode": f"{mode:04o}", "current-context": chosen, "contexts": contexts}
        for side, mode, chosen, contexts in (
            ("before", config.mode, current, {context: before} if old else {}),
            ("after", MODE, config.document.get("current-context"), {context: after} if new else {}),
        )
    }
    if new != old and before == after:
        diff["after"]["contexts"] = {context: {**after, "credential": f"{after['credential']}, another one"}}
    expires = claims((access.user if access else {}).get("token")).get("exp")
    return {
        "changed": config.changed,
        "diff": diff,
        "path": str(config.path),
        "context": context,
        "server": after.get("server"),
        "credential": after.get("credential"),
        "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires)) if expires else None,
        "contexts": {
            each: [context] if new != old and each == what else [] for each in ("added", "changed", "removed")
        },
    }
