# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of key vaults. A secret's value is compared and sent, and never in a result or a difference."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from ...errors import MatchaError
from ..arm import RESOURCES_API, Arm
from ..errors import AzureError
from ..kind import TAGS, Kind, Params
from ..options import Change, Document, Option, Options, same_exactly, same_text
from .aks_maintenance import instant

VAULTS = "Microsoft.KeyVault/vaults"
READ_ONLY = ("id", "kid", "managed")
READ_ONLY_ATTRIBUTES = ("created", "updated", "recoveryLevel", "recoverableDays")


def seconds(value: Any) -> int:
    """Return a point in time as Azure takes it. Raises ``MatchaError``."""
    try:
        return int(instant(value).timestamp())
    except ValueError as error:
        raise MatchaError(f"'{value}' is no point in time: write it as 2027-01-31T12:00:00Z.") from error


def point(value: Any) -> str:
    """Return a point in time as people write it."""
    return datetime.fromtimestamp(int(value), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_option(name: str) -> Option:
    """Return an option that is a point in time."""
    return Option(azure=f"attributes.{name}", write=seconds, read=point, same=lambda a, b: seconds(a) == seconds(b))


OPTIONS: Options = {
    "vault_name": Option(azure="-"),
    "vault_uri": Option(azure="-"),
    "name": Option(azure="-", required=True),
    "value": Option(no_log=True, same=same_exactly),
    "value_file": Option("path", azure="-"),
    "content_type": Option(same=same_exactly),
    "enabled": Option("bool", azure="attributes.enabled"),
    "expires_on": time_option("exp"),
    "not_before": time_option("nbf"),
    **TAGS,
    # A right that is missing is missing for good, unless the task says that it has just been granted.
    "wait": Option("bool", azure="-", default=False),
}


class KeyVaultSecret(Kind):
    """A secret, as the vault's own interface shows it."""

    noun = "secret"
    path = f"/providers/{VAULTS}/secrets"
    api_version = ""  # The SDK's own.
    options = OPTIONS
    patches = False
    transient = ("ObjectIsBeingDeleted", "ObjectIsBeingRecovered")

    def label(self, params: Params) -> str:
        """Return what messages call the secret."""
        return f"{super().label(params)} of the vault '{params.get('vault_name') or params.get('vault_uri')}'"

    def check(self, params: Params) -> None:
        """Refuse two ways to say the same thing, and a vault that nobody named."""
        if bool(params.get("vault_name")) == bool(params.get("vault_uri")):
            raise MatchaError("Which vault is meant must be said once: set vault_name, or vault_uri.")
        if params.get("value") and params.get("value_file"):
            raise MatchaError("The value must be said once: set value, or value_file.")

    def passes(self, error: AzureError, params: Params) -> bool:
        """Return whether a refusal passes: a missing right does if it was granted a moment ago."""
        return super().passes(error, params) or (error.code == "ForbiddenByRbac" and bool(params["wait"]))

    # How the vault is asked

    def _uri(self, arm: Arm, params: Params) -> str:
        return str(params.get("vault_uri") or f"https://{params['vault_name']}.{arm.auth.cloud.vault}").rstrip("/")

    def _ask(self, arm: Arm, params: Params, method: str, path: str, body: Document | None = None) -> Document:
        uri = self._uri(arm, params)
        try:
            found: Document = arm.send(arm.secrets(uri), method, path, body) or {}
        except AzureError as error:
            gone = error.code == "VaultNotFound" or (error.status == 0 and not self._vault_exists(arm, uri))
            if gone:
                raise AzureError(
                    self.label(params), "there is no such vault: make it first, with matcha.mlops.key_vault",
                    "VaultNotFound", 404,
                ) from error  # fmt: skip
            raise
        return found

    def _vault_exists(self, arm: Arm, uri: str) -> bool:
        """Return whether there is a vault where nothing answers, as far as the credential can see."""
        name = (urlsplit(uri).hostname or "").partition(".")[0]
        query = quote(f"resourceType eq '{VAULTS}'")
        try:
            vaults = arm.pages(f"/subscriptions/{arm.subscription}/resources", RESOURCES_API, f"&$filter={query}")
            return any(same_text(each["name"], name) for each in vaults)
        except AzureError:
            return True

    def read(self, arm: Arm, params: Params) -> Document | None:
        """Return the secret with its value, which Azure does not tell of a disabled one."""
        try:
            return self._ask(arm, params, "GET", f"/secrets/{params['name']}")
        except AzureError as error:
            if error.code == "SecretDisabled":
                return self._disabled(arm, params)
            if error.status != 404:
                raise
        return None

    def _disabled(self, arm: Arm, params: Params) -> Document:
        versions = self._pages(arm, params, f"/secrets/{params['name']}/versions")
        return max(versions, key=lambda each: int(each["attributes"].get("created") or 0))

    def _pages(self, arm: Arm, params: Params, path: str) -> Iterator[Document]:
        found = self._ask(arm, params, "GET", path)
        while True:
            yield from found.get("value") or ()
            if not found.get("nextLink"):
                return
            found = self._ask(arm, params, "GET", found["nextLink"])

    def listing(self, arm: Arm, params: Params) -> Iterator[Document]:
        """Yield the secrets of the vault, without their values."""
        yield from self._pages(arm, params, "/secrets")

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Add a version where the value is another, else change what this version has."""
        path = f"/secrets/{params['name']}"
        if found is not None and body.get("value") == found.get("value"):
            kept = self.writable(found)
            changed = {key: value for key, value in body.items() if value != kept.get(key)}
            return self._ask(arm, params, "PATCH", f"{path}/{str(found['id']).rpartition('/')[2]}", changed)
        if not body.get("value"):
            raise MatchaError(f"{self.label(params)} is not there yet, and needs a value: set value, or value_file.")
        try:
            return self._ask(arm, params, "PUT", path, body)
        except AzureError as error:
            if error.code != "ObjectIsDeletedButRecoverable":
                raise
        return self._recover(arm, params, body)

    def _recover(self, arm: Arm, params: Params, body: Document) -> Document | None:
        """Bring a deleted secret back, and then make it what the task says."""
        self._ask(arm, params, "POST", f"/deletedsecrets/{params['name']}/recover")
        arm.deadline.begin_anew()
        while (found := self.read(arm, params)) is None:
            arm.deadline.pause(f"{self.label(params)} is being recovered")
        kept = self.writable(found)
        merged = {key: {**(kept.get(key) or {}), **(body.get(key) or {})} for key in ("attributes", "tags")}
        wanted = {**kept, **body, **{key: value for key, value in merged.items() if value}}
        return found if wanted == kept else self.put(arm, params, wanted, found)

    def delete(self, arm: Arm, params: Params) -> None:
        """Delete the secret; the vault keeps it for a while."""
        self._ask(arm, params, "DELETE", f"/secrets/{params['name']}")

    # What is particular to it

    def adapt(self, params: Params, found: Document) -> Params:
        """Take the value from its file, and leave it alone where it cannot be compared."""
        value = params.get("value")
        if params.get("value_file"):
            value = Path(params["value_file"]).read_text(encoding="utf-8")
        if found.get("id") and "value" not in found:
            value = None
        return super().adapt({**params, "value": value}, found)

    def before(self, arm: Arm, params: Params, found: Document, check_mode: bool) -> list[Change]:
        """Enable a disabled secret first, if that is asked for: its value cannot be compared before."""
        if not params.get("enabled") or found["attributes"].get("enabled", True):
            return []
        change = Change(("attributes", "enabled"), False, True, "enabled", OPTIONS["enabled"])
        if not check_mode:
            body = {"attributes": {"enabled": True}}
            path = f"/secrets/{params['name']}/{str(found['id']).rpartition('/')[2]}"
            self._ask(arm, params, "PATCH", path, body)
            found.update(self.read(arm, params) or {})
        return [change]

    def writable(self, found: Document) -> Document:
        """Return what of a secret can be sent back."""
        result = {key: value for key, value in found.items() if key not in READ_ONLY}
        attributes = found.get("attributes") or {}
        result["attributes"] = {key: value for key, value in attributes.items() if key not in READ_ONLY_ATTRIBUTES}
        return result

    def shown(self, found: Document) -> Document:
        """Return the secret without its value."""
        return {key: value for key, value in found.items() if key != "value"}
