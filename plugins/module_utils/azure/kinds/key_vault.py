# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Key vaults. A deleted one keeps its name, and can be recovered, until it is purged."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from ..arm import SUBSCRIPTIONS_API, Arm
from ..converge import part_of
from ..errors import AzureError
from ..kind import LOCATION, TAGS, Kind, Params
from ..options import Change, Document, Option, Options, apply, below, differences, same_text

NEW_VAULT = "Make a vault of another name."
PROVIDER = "providers/Microsoft.KeyVault"


def same_networks(wanted: Any, found: Any) -> bool:
    """Return whether two lists hold the same networks: one address is a network too."""
    try:
        sides = [sorted(str(ip_network(each, strict=False)) for each in side or ()) for side in (wanted, found)]
    except ValueError:
        return False
    return sides[0] == sides[1]


NETWORK_ACLS = {
    "default_action": Option(choices=("Allow", "Deny"), absent=("Allow",)),
    "bypass": Option(choices=("AzureServices", "None"), absent=("AzureServices",)),
    "ip_rules": Option(
        "list",
        same=same_networks,
        write=lambda rules: [{"value": each} for each in rules],
        read=lambda rules: [each["value"] for each in rules],
    ),
    "virtual_network_rules": Option(
        "list",
        options={"id": Option(required=True), "ignore_missing_vnet_service_endpoint": Option("bool")},
    ),
}
OPTIONS: Options = {
    "resource_group": Option(azure="-", required=True),
    "name": Option(azure="-", required=True),
    "location": LOCATION,
    **TAGS,
    **below(
        "properties",
        {
            "sku": Option(azure="sku.name", choices=("standard", "premium")),
            "vault_tenant": Option(azure="tenantId"),
            "enable_rbac_authorization": Option("bool"),
            "enable_purge_protection": Option("bool"),
            "soft_delete_retention_in_days": Option("int", immutable=NEW_VAULT),
            "enabled_for_deployment": Option("bool"),
            "enabled_for_disk_encryption": Option("bool"),
            "enabled_for_template_deployment": Option("bool"),
            "public_network_access": Option(choices=("Enabled", "Disabled", "SecuredByPerimeter"), absent=("Enabled",)),
            "network_acls": Option("dict", options=NETWORK_ACLS),
        },
    ),
    "recover": Option("bool", azure="-", default=True),
    "purge": Option("bool", azure="-", default=False),
}


class KeyVault(Kind):
    """A vault. A deleted one of its name stands in the way, and is recovered."""

    noun = "key vault"
    path = "{group}/providers/Microsoft.KeyVault/vaults/{name}"
    api_version = "2026-02-01"
    read_only_properties = ("provisioningState", "vaultUri", "hsmPoolResourceId", "privateEndpointConnections")
    options = OPTIONS

    def __init__(self) -> None:
        """Know nothing yet of a deleted vault."""
        self._gone: Document | None = None

    def read(self, arm: Arm, params: Params) -> Document | None:
        """Return the vault; a deleted one counts where it is to be purged."""
        found, self._gone = super().read(arm, params), None
        absent = params.get("state") == "absent"
        if found is None and (params.get("purge") if absent else "recover" in params):
            self._gone = self._deleted(arm, params)
        if absent and params["purge"]:
            if self._gone and not self._is_ours(arm, params, self._gone):
                self._gone = None
            self._refuse_purge(params, found or self._gone)
            return found or self._gone
        if self._gone is not None:
            self._refuse_recovery(arm, params, self._gone)
        return found

    def _deleted(self, arm: Arm, params: Params) -> Document | None:
        """Return the deleted vault of that name; None as well where the credential may not look."""
        around = f"/subscriptions/{arm.subscription}/{PROVIDER}"
        try:
            if params.get("location"):
                where = str(params["location"]).replace(" ", "").lower()
                path = f"{around}/locations/{where}/deletedVaults/{params['name']}"
                return dict(arm.request("GET", path, self.api_version))
            gone = arm.pages(f"{around}/deletedVaults", self.api_version)
            return next((each for each in gone if same_text(each["name"], params["name"])), None)
        except AzureError as error:
            if error.status in (403, 404):
                return None
            raise

    def _is_ours(self, arm: Arm, params: Params, gone: Document) -> bool:
        """Return whether a deleted vault was this one, and not one of its name in another group."""
        return same_text(gone["properties"]["vaultId"], self.id(arm, params))

    def _refuse_purge(self, params: Params, found: Document | None) -> None:
        properties = (found or {}).get("properties") or {}
        if properties.get("enablePurgeProtection") or properties.get("purgeProtectionEnabled"):
            raise AzureError(
                self.label(params),
                "is protected from being purged, which cannot be taken back: leave purge unset. Azure purges it by "
                "itself when its retention is over",
                "PurgeProtected",
            )

    def _refuse_recovery(self, arm: Arm, params: Params, gone: Document) -> None:
        """Raise ``AzureError`` if a deleted vault is in the way."""
        was, until = gone["properties"]["vaultId"], gone["properties"].get("scheduledPurgeDate")
        if not self._is_ours(arm, params, gone):
            raise AzureError(
                self.label(params),
                f"was deleted as {was}, and comes back only there: recover or purge that one, or take another name",
                "DeletedElsewhere",
            )
        if not params["recover"]:
            raise AzureError(
                self.label(params),
                f"was deleted, and its name is not free before {until}: set recover=true, or purge it with "
                "state=absent and purge=true",
                "Deleted",
            )

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Make the vault, or bring it back from the deleted ones and then change it."""
        properties = body["properties"]
        if not properties.get("tenantId"):
            about = arm.request("GET", f"/subscriptions/{arm.subscription}", SUBSCRIPTIONS_API)
            properties["tenantId"] = about["tenantId"]
        if found is None and self._gone is not None:
            return self._recover(arm, params, body)
        return super().put(arm, params, body, found)

    def _recover(self, arm: Arm, params: Params, body: Document) -> Document | None:
        gone = (self._gone or {})["properties"]
        properties = {key: body["properties"][key] for key in ("tenantId", "sku")}
        request = {"location": gone["location"], "properties": {**properties, "createMode": "recover"}}
        answer = super().put(arm, params, request, None)
        found = super().read(arm, params)
        if found is None:
            return answer
        changes = differences(self.options, self.adapt(params, found), found)
        self.refuse(params, found, changes)
        return self.patch(arm, params, part_of(apply(self.writable(found), changes), changes)) if changes else found

    def delete(self, arm: Arm, params: Params) -> None:
        """Delete the vault, and purge it if that is asked for."""
        gone = self._gone
        if gone is None:
            super().delete(arm, params)
        if not params["purge"]:
            return
        while gone is None:
            gone = self._deleted(arm, params)
            if gone is None:
                arm.deadline.pause(f"{self.label(params)} is deleted, and to be purged")
        arm.act(f"Purging {self.label(params)}", f"{gone['id']}/purge", self.api_version, wait=params["wait"])

    def defaults(self, params: Params) -> Document:
        """Return what a new vault has: roles in place of access policies."""
        sku = {"family": "A", "name": "standard"}
        return {"properties": {"sku": sku, "enableRbacAuthorization": True, "accessPolicies": []}}

    def refuse(self, params: Params, found: Document, changes: list[Change]) -> None:
        """Refuse to take purge protection back too."""
        super().refuse(params, found, changes)
        for change in changes:
            if change.name == "enable_purge_protection" and change.before:
                raise AzureError(
                    self.label(params), f"{change}, and Azure never takes this protection back: leave it unset",
                    "Immutable",
                )  # fmt: skip
