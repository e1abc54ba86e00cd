# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments on Azure: a resource group with our tags, and in it an account whose one blob is state and lock.

The group's tags are the guard that holds even where the state is lost. They are written only by who has the lease,
so that of two first runs one wins; until then the group says no more than whose prefix it is for.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..module_utils.azure.arm import RESOURCES_API, Arm
from ..module_utils.azure.auth import Auth
from ..module_utils.azure.blob import NO_RIGHT, BlobPlace, ensure_access
from ..module_utils.azure.converge import converge
from ..module_utils.azure.errors import AzureError
from ..module_utils.azure.kind import Kind
from ..module_utils.azure.kinds.key_vault_secret import KeyVaultSecret
from ..module_utils.azure.kinds.resource_group import ResourceGroup
from ..module_utils.azure.kinds.storage import StorageAccount
from ..module_utils.azure.options import Document, same_location
from ..module_utils.errors import MatchaError
from ..module_utils.files import write_atomically
from ..module_utils.stack.blob_state import ABSENT, BlobState
from ..module_utils.stack.definition import Stack
from ..module_utils.stack.lease import RUN, LeaseLock, lease_id
from ..module_utils.stack.lock import Holder, PlanLock, controller
from ..module_utils.stack.state import PLANNED, State, StateStore, new_state
from .action import as_bool
from .azure_status import inspect, workloads
from .cluster_access import cluster_access
from .place import Options, Place, Tell

# No prefix has a hyphen in it, so this is no local deployment's folder.
FOLDER = "on-azure"
# Seconds that group and account may take.
TIMEOUT = 1800
DEPLOYMENT, STACK, PREFIX = "matcha-deployment", "matcha-stack", "matcha-prefix"
# On a group that was there before its deployment.
ADOPTED = "matcha-adopted"
GONE = {"state": "absent", "wait": True}
# A message names no more than these.
NAMED = 5


class AzurePlace(Place):
    """A resource group."""

    target = "azure"
    hint = "matcha_subscription"

    def __init__(self, options: Options) -> None:
        """Nobody signs in yet."""
        super().__init__(options)
        self.auth = Auth.of(options)
        self.arm = Arm(self.auth, TIMEOUT)
        self.resource_group = f"{self.prefix}-resources"
        self.vault = f"kv-{self.prefix}"
        self.blob = BlobPlace(self.auth, f"{self.prefix}statestacc", f"{self.prefix}statestore")
        # As they were when they were last looked at.
        self._group: Document | None = None
        self._account: Document | None = None

    @cached_property
    def path(self) -> Path:
        """What a run needs on this machine, such as copies of secrets for as long as it lasts."""
        return self.home / FOLDER / self.arm.subscription / self.prefix

    @property
    def where(self) -> str:
        """The subscription."""
        return f"the subscription {self.arm.subscription}"

    # How it is found, locked and recorded

    def find(self, lenient: bool = False) -> State | None:
        """Return what the blob holds; where it is lost, as much of it as the group's tags tell."""
        self._look()
        state = None
        if self._account is not None:
            try:
                state = self.store().read()
            except AzureError as error:
                if not (lenient and error.code in NO_RIGHT):
                    raise
        return state or self._rebuilt()

    def _look(self) -> None:
        self._account = None
        self._group = ResourceGroup().read(self.arm, {"name": self.resource_group})
        if self._group is not None:
            self._account = StorageAccount().read(self.arm, self._place(self.blob.account))

    def _place(self, name: str) -> Document:
        return {"resource_group": self.resource_group, "name": name}

    def _rebuilt(self) -> State | None:
        """Return the state of a deployment that only the group's tags know of. Its resources are found by them."""
        tags = tags_of(self._group)
        if not (self._group and tags.get(DEPLOYMENT)):
            return None
        # Which components that stack has, who asks for it must say.
        state = self._with_place(new_state(self.prefix, self.target, Stack(tags.get(STACK, ""), ())), {})
        return {**state, "matcha_uuid": tags[DEPLOYMENT]}

    def store(self, run: str = "") -> StateStore:
        """Return the blob's store."""
        return BlobState(self.blob, lease_id(run) if run else "")

    def lock(self) -> LeaseLock:
        """Return the lease on the blob."""
        return LeaseLock(self.path, self.blob)

    def holder(self) -> Holder | None:
        """Return who holds the lease; nobody where there is nothing to hold."""
        if self._group is None:
            self._look()
        if self._account is None:
            return None
        try:
            return self.lock().holder()
        except AzureError as error:
            if error.code in ABSENT or error.status == 404:
                return None
            raise

    # How work on it begins

    def begun(self) -> tuple[str, State] | None:
        """Return what this run has noted in its folder: each component's host begins anew."""
        token = self.lock().held()
        try:
            noted = json.loads((self.path / RUN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return (token, noted["state"]) if token and noted["run"] == token else None

    def look(self) -> str:
        """Let the plan have its own copies of what the deployment is asked with, and not those of a run."""
        self.path = self.path.with_name(f"{self.prefix}-plan-{controller()}")
        return PlanLock(self.path).acquire("plan")

    def remember(self, run: str, state: State | None) -> None:
        """Note it in the run's folder. The watcher removes that at the end."""
        if state is not None:
            write_atomically(self.path / RUN, json.dumps({"run": run, "state": state}))

    def preflight(self, options: Options, stack: Stack, state: State | None) -> None:
        """Look for a region, and for somebody else's things in a group of that name."""
        wanted, there = options["location"], (state or self._group or {}).get("location")
        if not (wanted or there):
            raise MatchaError("matcha_location is not set: name the Azure region for the deployment, as in westeurope.")
        if wanted and there and not same_location(wanted, there):
            raise MatchaError(
                f"The resource group '{self.resource_group}' is in '{there}', and asked for was '{wanted}': Azure "
                f"moves nothing to another region. Leave matcha_location unset, destroy the deployment first "
                f"(destroy.yml), or choose another matcha_prefix."
            )
        if self._foreign and not as_bool(options["adopt"], "matcha_adopt"):
            self._refuse_foreign()

    @property
    def _foreign(self) -> bool:
        """Whether there is a group of that name that we did not make."""
        return self._group is not None and self._account is None and PREFIX not in tags_of(self._group)

    def _refuse_foreign(self) -> None:
        """Raise ``MatchaError`` unless the group is empty."""
        path = f"{ResourceGroup().id(self.arm, {'name': self.resource_group})}/resources"
        names = [str(each["name"]) for each in self.arm.pages(path, RESOURCES_API)]
        if names:
            shown = ", ".join(names[:NAMED] + ["…"] * (len(names) > NAMED))
            raise MatchaError(
                f"The resource group '{self.resource_group}' has no tag {PREFIX}, so it is somebody else's, and it "
                f"holds {shown}: choose another matcha_prefix, or set matcha_adopt=true to put the deployment among "
                f"these. A destroy then leaves the group."
            )

    def planned(self, options: Options, stack: Stack, state: State | None) -> State:
        """Return the state with where it is."""
        found = self._with_place(state or new_state(self.prefix, self.target, stack), options)
        return {**found, "stack": {"name": stack.name, "components": list(stack.components)}}

    def _with_place(self, state: State, options: Options) -> State:
        tags = {**state.get("tags", {}), **{key: str(value) for key, value in (options.get("tags") or {}).items()}}
        created = self._group is None or (not self._foreign and ADOPTED not in tags_of(self._group))
        return {
            **state,
            "location": state.get("location") or (self._group or {}).get("location") or options["location"],
            "subscription_id": self.arm.subscription,
            "resource_group": self.resource_group,
            "resource_group_created": state.get("resource_group_created", created),
            "tags": tags,
            "resources": state.get("resources", []),
        }

    def prepare(self, options: Options, tell: Tell) -> None:
        """Make the group, the account and the blob, and give who signs in the right to it."""
        if self._account is None or options["missing"] == "create":
            location = (self._group or {}).get("location") or options["location"]
            first = {PREFIX: self.prefix, **({ADOPTED: "true"} if self._foreign else {})}
            self._converge(self.arm, location, first)
        ensure_access(self.blob, self.arm, (self._account or {})["id"], tell)

    def _converge(self, arm: Arm, location: str, tags: Mapping[str, str]) -> None:
        common = {"location": location, "tags": dict(tags), "state": "present", "wait": True}
        account = {
            **self._place(self.blob.account),
            "allow_blob_public_access": False,
            "allow_shared_key_access": False,
            "supports_https_traffic_only": True,
            "containers": [{"name": self.blob.container, "public_access": "None"}],
        }

        def one(kind: Kind, params: Document) -> Document | None:
            return converge(kind, arm, {**common, **params}, check_mode=False).resource

        self._group = one(ResourceGroup(), {"name": self.resource_group})
        self._account = one(StorageAccount(), account)

    def settle(self, run: str, state: State) -> None:
        """Put the deployment's tags on group and account."""
        tags = self._tags(state)
        if all(tags.items() <= tags_of(each).items() for each in (self._group, self._account)):
            return
        self._converge(self._fenced(run), state["location"], tags)

    def _fenced(self, run: str) -> Arm:
        """Return a client that writes nothing once the lock is another's."""
        lock = self.lock()
        return Arm(self.auth, TIMEOUT, lambda: lock.check(run))

    # How it ends

    def write(self, run: str, state: State) -> None:
        """Replace the state. The lock is held."""
        with self.lock().working(run):
            self.store(run).update(lambda _before: state)
        self.remember(run, state)

    def remove(self, run: str, whole_group: bool, tags: Mapping[str, str]) -> None:
        """Free the lock, and remove what it is in: the account, or all of the group if it is ours.

        The state says that this is under way, so nobody begins anything in between. A group that stays
        loses the deployment's ``tags``, which are the guard of one that is there.
        """
        self._look()
        whole_group = whole_group and ADOPTED not in tags_of(self._group)
        if self._group is not None and not whole_group:
            self._unmark(self._fenced(run), self._group, tags)
        self.lock().release(run)
        if self._group is not None and whole_group:
            converge(ResourceGroup(), self.arm, {"name": self.resource_group, **GONE}, check_mode=False)
        elif self._account is not None:
            converge(StorageAccount(), self.arm, {**self._place(self.blob.account), **GONE}, check_mode=False)
        shutil.rmtree(self.path, ignore_errors=True)

    def _unmark(self, arm: Arm, group: Document, tags: Mapping[str, str]) -> None:
        """Take the tags off. A group that we made stays one of this prefix, so that a new deployment may use it."""
        there = tags_of(group)
        gone = {ADOPTED, *(key for key, value in tags.items() if there.get(key) == value)}
        gone -= set() if ADOPTED in there else {PREFIX}
        left = {key: value for key, value in there.items() if key not in gone}
        wanted = {"name": self.resource_group, "location": group["location"], "tags": left, "append_tags": False}
        converge(ResourceGroup(), arm, {**wanted, "state": "present", "wait": True}, check_mode=False)

    @staticmethod
    def _tags(state: State) -> dict[str, str]:
        names = {DEPLOYMENT: state["matcha_uuid"], STACK: state["stack"]["name"], PREFIX: state["prefix"]}
        return {**state.get("tags", {}), **names}

    def facts(self, state: State | None) -> dict[str, Any]:
        """Return what every resource of the deployment is made with."""
        found = state or {"matcha_uuid": PLANNED, "stack": {"name": ""}, "prefix": self.prefix}
        parts = found.get("components", {})
        return {
            "matcha_uuid": found["matcha_uuid"],
            "subscription_id": self.arm.subscription,
            "resource_group": self.resource_group,
            "resource_group_created": found.get("resource_group_created", False),
            "location": found.get("location", ""),
            "tags": self._tags(found),
            "resources": found.get("resources", []),
            # As they were when the run began.
            "versions": {name: part["version"] for name, part in parts.items() if part.get("version")},
            "recorded": {name: part.get("configuration", {}) for name, part in parts.items()},
            "ports": {},
            "environments": {},
        }

    # What else depends on the target

    def secret(self, name: str) -> str:
        """Read the secret from the vault."""
        found = KeyVaultSecret().read(self.arm, {"vault_name": self.vault, "name": name, "wait": False})
        if not found:
            raise MatchaError(f"The vault '{self.vault}' has no secret '{name}': run provision, which makes it.")
        # It may have come from a file, which ends with a newline.
        return str(found["value"]).rstrip("\r\n")

    def reveal(self, reference: Mapping[str, str]) -> str:
        """Read it from the vault, or ask Azure for an account's key."""
        if "connection_string" in reference:
            return StorageAccount().connection_string(self.arm, self._place(reference["connection_string"]))
        return super().reveal(reference)

    def inspect(self, state: State, options: Options) -> dict[str, dict[str, Any]]:
        """Look at what is recorded, and at what is in the cluster."""
        if not state["components"]:
            return inspect(state, [])
        try:
            with TemporaryDirectory() as folder:
                access = cluster_access(options, self, state, Path(folder))
                return inspect(state, workloads(access, state))
        except MatchaError as error:
            return inspect(state, error)


def tags_of(found: Document | None) -> dict[str, str]:
    """Return the tags of a resource."""
    return dict((found or {}).get("tags") or {})
