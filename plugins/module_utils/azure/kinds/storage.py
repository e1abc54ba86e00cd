# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage accounts, with their blob service and its containers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..arm import Arm, explaining, plain
from ..kind import Kind, Params, forget
from ..options import Change, Document, dig, leaves, property_path, same_text
from .common import with_default_action
from .storage_options import ACCOUNT, BLOB_SERVICE, CONTAINER

PATH = "{group}/providers/Microsoft.Storage/storageAccounts/"
# What is kept for how long: the option of the days, and for how many if a task that begins it does not say.
KEPT = {
    "delete_retention_policy": ("days", 7),
    "container_delete_retention_policy": ("days", 7),
    "change_feed": ("retention_in_days", None),
    "restore_policy": ("days", None),
}


class StorageKind(Kind):
    """What Azure's package for storage answers at once."""

    api_version = ""  # The SDK's own.

    def _call(self, params: Params, call: Callable[..., Any], *arguments: Any) -> Document | None:
        with explaining(self.label(params)):
            found: Document | None = plain(call(*arguments))
            return found


class BlobService(StorageKind):
    """The settings of an account's blobs. An account has one, which is always sent whole."""

    noun = "blob service"
    path = PATH + "{parent}/blobServices/{name}"
    options = BLOB_SERVICE
    patches = False
    born = {  # noqa: RUF012 - the base class says ClassVar
        "properties": {
            "cors": {"corsRules": []},
            "deleteRetentionPolicy": {"allowPermanentDelete": False, "enabled": False},
        }
    }

    def label(self, params: Params) -> str:
        """Return what messages call the service."""
        return f"The blob service of the storage account '{params['parent']}'"

    def read(self, arm: Arm, params: Params) -> Document | None:
        """Return the settings."""
        place = (params["resource_group"], params["parent"])
        found: Document | None = arm.ask(self.label(params), arm.storage.blob_services.get_service_properties, *place)
        return found

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Send the settings."""
        place = (params["resource_group"], params["parent"])
        return self._call(params, arm.storage.blob_services.set_service_properties, *place, body)

    def adapt(self, params: Params, found: Document) -> Params:
        """Say nothing of how long something is kept that is not, and something where Azure wants to know."""
        wanted = dict(params)
        for name, (days, default) in KEPT.items():
            policy = params.get(name)
            if not policy:
                continue
            if policy.get("enabled") is False:
                wanted[name] = {"enabled": False}
            elif policy.get("enabled") and policy.get(days) is None and default:
                wanted[name] = {**policy, days: dig(found, (*_below(name), days)) or default}
        return wanted

    def writable(self, found: Document) -> Document:
        """Return what can be sent back; the SDK's model knows what is read-only."""
        from azure.mgmt.storage.models import BlobServiceProperties

        result: Document = BlobServiceProperties(found).as_dict(exclude_readonly=True)
        return result

    def tidy(self, body: Document) -> Document:
        """Return the settings without the days of what is switched off."""
        for name, (days, _default) in KEPT.items():
            policy = dig(body, _below(name)) or {}
            if policy.get("enabled") is False:
                policy.pop("retentionInDays" if days == "retention_in_days" else days, None)
        return body


def _below(name: str) -> tuple[str, ...]:
    return property_path(name, BLOB_SERVICE[name])


class Container(StorageKind):
    """A container of blobs."""

    noun = "container"
    path = PATH + "{parent}/blobServices/default/containers/{name}"
    options = CONTAINER
    transient = ("ContainerBeingDeleted", "ContainerOperationFailure")

    def label(self, params: Params) -> str:
        """Return what messages call the container."""
        return f"{super().label(params)} of the storage account '{params['parent']}'"

    def read(self, arm: Arm, params: Params) -> Document | None:
        """Return the container."""
        found: Document | None = arm.ask(self.label(params), arm.storage.blob_containers.get, *_place(params))
        return found

    def listing(self, arm: Arm, params: Params) -> Iterator[Document]:
        """Yield the containers of an account."""
        yield from arm.items(arm.storage.blob_containers.list, params["resource_group"], params["parent"])

    def listed(self, params: Params) -> bool:
        """Return whether a list tells all that the options name: not metadata."""
        return params.get("metadata") is None

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Make the container."""
        return self._call(params, arm.storage.blob_containers.create, *_place(params), body)

    def patch(self, arm: Arm, params: Params, body: Document) -> Document | None:
        """Change the container."""
        return self._call(params, arm.storage.blob_containers.update, *_place(params), body)

    def delete(self, arm: Arm, params: Params) -> None:
        """Delete the container, with what is in it."""
        self._call(params, arm.storage.blob_containers.delete, *_place(params))

    def defaults(self, params: Params) -> Document:
        """Return what a new container has: nobody reads it without signing in."""
        return {"properties": {"publicAccess": "None"}}

    def fixed(self, change: Change) -> bool:
        """Return whether Azure cannot make a change. It tells everything about a container."""
        return bool(change.option.immutable)


def _place(params: Params) -> tuple[str, str, str]:
    return params["resource_group"], params["parent"], params["name"]


class StorageAccount(StorageKind):
    """An account. Its keys are asked for by nobody but who wants to see a connection string."""

    noun = "storage account"
    path = PATH + "{name}"
    options = ACCOUNT
    read_only = (*Kind.read_only, "properties.networkAcls.virtualNetworkRules.state")
    children = {  # noqa: RUF012 - the base class says ClassVar
        "blob_service_properties": BlobService(),
        "containers": Container(),
    }

    def read(self, arm: Arm, params: Params) -> Document | None:
        """Return the account."""
        accounts = arm.storage.storage_accounts
        found: Document | None = arm.ask(
            self.label(params), accounts.get_properties, params["resource_group"], params["name"]
        )
        return found

    def listing(self, arm: Arm, params: Params) -> Iterator[Document]:
        """Yield the accounts of a resource group, or of the subscription."""
        accounts, group = arm.storage.storage_accounts, params.get("resource_group")
        yield from arm.items(accounts.list_by_resource_group, group) if group else arm.items(accounts.list)

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Make the account."""
        begin = arm.storage.storage_accounts.begin_create
        return self._finish(arm, params, begin, params["resource_group"], params["name"], body)

    def patch(self, arm: Arm, params: Params, body: Document) -> Document | None:
        """Change a part of the account."""
        wanted = params.get("encryption") or {}
        if same_text(wanted.get("key_source"), "Microsoft.Storage") and not wanted.get("key_vault_properties"):
            # The vault that its key was in until now is no news.
            forget(body, ["properties", "encryption", "keyvaultproperties"])
        update = arm.storage.storage_accounts.update
        return self._call(params, update, params["resource_group"], params["name"], body)

    def delete(self, arm: Arm, params: Params) -> None:
        """Delete the account, with its data."""
        self._call(params, arm.storage.storage_accounts.delete, params["resource_group"], params["name"])

    def connection_string(self, arm: Arm, params: Params) -> str:
        """Return what signs in with the account's first key. Raises ``AzureError``."""
        keys = self._call(params, arm.storage.storage_accounts.list_keys, params["resource_group"], params["name"])
        key = (keys or {})["keys"][0]["value"]
        suffix = arm.auth.cloud.storage
        return f"DefaultEndpointsProtocol=https;EndpointSuffix={suffix};AccountName={params['name']};AccountKey={key}"

    def defaults(self, params: Params) -> Document:
        """Return what a new account has: no keys, no anonymous readers, no old encryption."""
        properties = {
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": True,
            "allowSharedKeyAccess": False,
            "allowBlobPublicAccess": False,
        }
        return {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": properties}

    def adapt(self, params: Params, found: Document) -> Params:
        """Let new rules of who may connect forbid the rest."""
        there = dig(found, ("properties", "networkAcls"))
        return with_default_action(super().adapt(params, found), "network_acls", there)

    def fixed(self, change: Change) -> bool:
        """Return whether Azure cannot make a change. It tells everything about an account, as far as it is set."""
        upgrade = change.name == "kind" and change.after == "StorageV2" and change.before in ("Storage", "BlobStorage")
        return bool(change.option.immutable) and not upgrade

    def writable(self, found: Document) -> Document:
        """Return what can be sent back; the SDK's model knows what is read-only below the properties."""
        from azure.mgmt.storage.models import StorageAccountUpdateParameters

        result: Document = StorageAccountUpdateParameters(super().writable(found)).as_dict(exclude_readonly=True)
        names = {path[1] for path in leaves(self.options) if path[0] == "properties"}
        result["properties"] = {key: value for key, value in result["properties"].items() if key in names}
        return result
