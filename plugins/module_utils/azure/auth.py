# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signs in to Azure, where, and to which subscription.

Options come first, then the environment (AWX's names and the SDK's), then workload identity,
``az login`` and a managed identity. Nothing of a credential is kept or printed.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MatchaError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

AUTH_SPEC: dict[str, Any] = {
    "auth_source": {
        "type": "str",
        "choices": ["auto", "env", "workload_identity", "managed_identity", "cli"],
        "default": "auto",
    },
    "subscription_id": {"type": "str"},
    "tenant": {"type": "str", "aliases": ["tenant_id"]},
    "client_id": {"type": "str"},
    "secret": {"type": "str", "no_log": True, "aliases": ["client_secret"]},
    "client_certificate_path": {"type": "path"},
    "cloud_environment": {"type": "str", "choices": ["", "AzureCloud", "AzureUSGovernment", "AzureChinaCloud"]},
}


@dataclass(frozen=True)
class Cloud:
    """One of Azure's clouds: addresses of its resource manager, its sign-in, its storage and its vaults."""

    manager: str
    authority: str
    storage: str
    vault: str

    @property
    def scope(self) -> str:
        """Return what a token for the resource manager is asked for."""
        return f"{self.manager}/.default"


CLOUDS = {
    "AzureCloud": Cloud(
        "https://management.azure.com", "login.microsoftonline.com", "core.windows.net", "vault.azure.net"
    ),
    "AzureUSGovernment": Cloud(
        "https://management.usgovcloudapi.net",
        "login.microsoftonline.us",
        "core.usgovcloudapi.net",
        "vault.usgovcloudapi.net",
    ),
    "AzureChinaCloud": Cloud(
        "https://management.chinacloudapi.cn", "login.chinacloudapi.cn", "core.chinacloudapi.cn", "vault.azure.cn"
    ),
}
# An option, and the environment's names for it: the SDK's, then AWX's and Ansible's.
ENVIRONMENT = {
    "subscription_id": ("AZURE_SUBSCRIPTION_ID",),
    "tenant": ("AZURE_TENANT_ID", "AZURE_TENANT"),
    "client_id": ("AZURE_CLIENT_ID",),
    "secret": ("AZURE_CLIENT_SECRET", "AZURE_SECRET"),
    "client_certificate_path": ("AZURE_CLIENT_CERTIFICATE_PATH",),
    "federated_token_file": ("AZURE_FEDERATED_TOKEN_FILE",),
    "cloud_environment": ("AZURE_CLOUD_ENVIRONMENT",),
}
# What proves that somebody is this client, and no other.
PROOFS = ("secret", "client_certificate_path")


@dataclass(frozen=True)
class Auth:
    """What is known of the sign-in. An empty text is unknown."""

    source: str
    subscription_id: str
    tenant: str
    client_id: str
    secret: str = field(repr=False)
    client_certificate_path: str
    federated_token_file: str
    cloud: Cloud

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Auth:
        """Take what the options say, else what the environment says. Raises ``MatchaError``."""
        told = {name: str(params.get(name) or "") for name in ENVIRONMENT}
        there = {
            name: next((os.environ[each] for each in variables if os.environ.get(each)), "")
            for name, variables in ENVIRONMENT.items()
        }
        # One credential's parts are not mixed with another's.
        if any(told[name] for name in PROOFS):
            there.update(dict.fromkeys((*PROOFS, "federated_token_file"), ""))
        elif told["client_id"] and there["client_id"] not in ("", told["client_id"]):
            there.update(dict.fromkeys(PROOFS, ""))
        found = {name: told[name] or there[name] for name in ENVIRONMENT}
        cloud = found.pop("cloud_environment") or "AzureCloud"
        if cloud not in CLOUDS:
            raise MatchaError(f"The cloud '{cloud}' is unknown: set cloud_environment to one of {', '.join(CLOUDS)}.")
        return cls(source=params.get("auth_source") or "auto", cloud=CLOUDS[cloud], **found)

    def credential(self, **options: Any) -> TokenCredential:
        """Return the SDK's credential. Raises ``MatchaError`` where a part of it is missing, or cannot be one.

        ``options`` are for the SDK's pipeline to Entra.
        """
        try:
            return self._credential(self._source(), options)
        except ValueError as error:
            # A certificate without a key, a tenant that is no name.
            raise MatchaError(f"Signing in to Azure is not possible with these options: {error}") from error

    def _credential(self, source: str, options: dict[str, Any]) -> TokenCredential:
        import azure.identity as sdk

        common: dict[str, Any] = {"authority": self.cloud.authority, **options}
        if source == "cli":
            return sdk.AzureCliCredential(tenant_id=self.tenant)
        if source == "managed_identity":
            return sdk.ManagedIdentityCredential(client_id=self.client_id or None)
        self._need("tenant", "client_id")
        if source == "workload_identity":
            self._need("federated_token_file")
            return sdk.WorkloadIdentityCredential(
                tenant_id=self.tenant, client_id=self.client_id, token_file_path=self.federated_token_file, **common
            )
        # The SDK's own order.
        if self.client_certificate_path and not self.secret:
            return sdk.CertificateCredential(self.tenant, self.client_id, self.client_certificate_path, **common)
        self._need("secret")
        return sdk.ClientSecretCredential(self.tenant, self.client_id, self.secret, **common)

    def _source(self) -> str:
        """Return what to sign in with: the first that has what it needs."""
        if self.source != "auto":
            return self.source
        if self.secret or self.client_certificate_path:
            return "env"
        if self.federated_token_file:
            return "workload_identity"
        # Asking the metadata service takes seconds where there is none.
        return "cli" if cli_profile().exists() and not os.environ.get("IDENTITY_ENDPOINT") else "managed_identity"

    def _need(self, *names: str) -> None:
        missing = [name for name in names if not getattr(self, name)]
        if missing:
            variables = ", ".join(ENVIRONMENT[name][0] for name in missing)
            option = "the option of that name, or " if set(missing) <= set(AUTH_SPEC) else ""
            raise MatchaError(f"To sign in to Azure {' and '.join(missing)} must be known: set {option}{variables}.")

    def subscription_of_cli(self) -> str:
        """Return the subscription that ``az account set`` chose; empty where there is none."""
        if self._source() != "cli":
            return ""
        try:
            found = json.loads(cli_profile().read_text(encoding="utf-8-sig"))["subscriptions"]
            return next((str(each["id"]) for each in found if each.get("isDefault")), "")
        except (OSError, ValueError, KeyError, TypeError):
            return ""


def cli_profile() -> Path:
    """Return the file in which ``az login`` keeps its subscriptions."""
    return Path(os.environ.get("AZURE_CONFIG_DIR") or "~/.azure").expanduser() / "azureProfile.json"


def claims(token: Any) -> dict[str, Any]:
    """Return what a token says, unchecked: only its receiver can check it. Empty where it says nothing."""
    parts = str(token or "").split(".")
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
