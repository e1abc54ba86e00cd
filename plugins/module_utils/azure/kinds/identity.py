# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User-assigned identities, and the federated credentials by which others sign in as them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from ...errors import MatchaError
from ..arm import Arm
from ..kind import LOCATION, TAGS, Kind, Params
from ..options import Change, Document, Option, Options, same_exactly
from .plain import PlainKind

IDENTITIES = "{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
MOST_CREDENTIALS = 20
AUDIENCE = "api://AzureADTokenExchange"
CREDENTIAL: Options = {
    "name": Option(azure="-", required=True),
    # Entra compares these letter by letter.
    "issuer": Option(azure="properties.issuer", same=same_exactly),
    "subject": Option(azure="properties.subject", same=same_exactly),
    "audiences": Option("list", azure="properties.audiences"),
    "state": Option(azure="-", choices=("present", "absent"), default="present"),
}


class FederatedCredential(PlainKind):
    """A federated credential. Azure takes one at a time for each identity, and whole."""

    noun = "federated credential"
    path = f"{IDENTITIES}/{{parent}}/federatedIdentityCredentials/{{name}}"
    api_version = "2024-11-30"
    options = CREDENTIAL
    patches = False
    transient = ("ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",)

    def label(self, params: Params) -> str:
        """Return what messages call the credential."""
        return f"{super().label(params)} of the identity '{params['parent']}'"

    def elements(self, wanted: Any) -> Iterable[Params]:
        """Return what goes first: it makes room, and frees its subject for another name."""
        return sorted(wanted, key=lambda each: each["state"] != "absent")

    def defaults(self, params: Params) -> Document:
        """Return what a new credential has: the audience that Entra itself asks for."""
        return {"properties": {"audiences": [AUDIENCE]}}


OPTIONS: Options = {
    "resource_group": Option(azure="-", required=True),
    "name": Option(azure="-", required=True),
    "location": LOCATION,
    **TAGS,
    "isolation_scope": Option(azure="properties.isolationScope", choices=("None", "Regional"), absent=("None",)),
    "federated_credentials": Option("list", azure="-", options=CREDENTIAL),
}


class UserAssignedIdentity(PlainKind):
    """An identity, and its federated credentials."""

    noun = "identity"
    path = f"{IDENTITIES}/{{name}}"
    api_version = "2024-11-30"
    read_only_properties = ("tenantId", "principalId", "clientId")
    options = OPTIONS
    children: ClassVar[Mapping[str, Kind]] = {"federated_credentials": FederatedCredential()}

    def check(self, params: Params) -> None:
        """Refuse what is incomplete, or twice there, before anything is written."""
        wanted = params.get("federated_credentials") or ()
        names = [each["name"].casefold() for each in wanted]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise MatchaError(f"federated_credentials has {' and '.join(twice)} more than once: name each once.")
        for each in wanted:
            missing = [key for key in ("issuer", "subject") if not each.get(key)]
            if each["state"] == "present" and missing:
                raise MatchaError(f"federated_credentials[{each['name']}] needs {' and '.join(missing)}.")
        self._count(params, set())

    def before(self, arm: Arm, params: Params, found: Document, check_mode: bool) -> list[Change]:
        """Refuse more credentials than an identity can have, before anything is written."""
        if params.get("federated_credentials"):
            self._count(params, {str(each["name"]).casefold() for each in self._credentials(arm, params)})
        return []

    def _credentials(self, arm: Arm, params: Params) -> Iterator[Document]:
        child = self.children["federated_credentials"]
        yield from child.listing(arm, {**params, "parent": params["name"], "name": "-"})

    def _count(self, params: Params, there: set[str]) -> None:
        """Raise ``MatchaError`` if there would be too many."""
        wanted: dict[str, Any] = {
            each["name"].casefold(): each["state"] for each in params.get("federated_credentials") or ()
        }
        after = {name for name in {*there, *wanted} if wanted.get(name) != "absent"}
        if len(after) > MOST_CREDENTIALS:
            raise MatchaError(
                f"{self.label(params)} would have {len(after)} federated credentials, and Azure takes "
                f"{MOST_CREDENTIALS}: remove some with state=absent, or make another identity."
            )
