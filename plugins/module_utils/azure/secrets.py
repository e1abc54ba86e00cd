# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated secrets, whose place of record is a key vault: see the module ``vault_secrets``.

A pending value is a secret of its own, ``NAME-new``, that is enabled. A rotation ends when the value is NAME's and
``NAME-new`` is disabled. Nothing is deleted: the vault would keep a deleted name for itself.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

from ..errors import MatchaError
from ..files import alone, read_text, write_atomically
from ..local.folder import Folder
from ..local.secrets import NEXT, secret_file
from ..rest import is_private
from .arm import Arm
from .errors import AzureError
from .kinds.key_vault_secret import KeyVaultSecret
from .options import Document, Params

# What a pending value is called in the vault, where a name has no dots.
PENDING = "-new"
MISSING_VAULT = "VaultNotFound"
T = TypeVar("T")


def random_value() -> str:
    """Return a value that nobody can guess."""
    return secrets.token_urlsafe(32)


class Generated(KeyVaultSecret):
    """A secret that nobody chose: where it was deleted, its old value is the right one."""

    def _recover(self, arm: Arm, params: Params, body: Document) -> Document | None:
        return super()._recover(arm, params, {})


class Vault:
    """The secrets of one vault. Each call waits for a right that was granted a moment ago."""

    def __init__(self, arm: Arm, params: Params) -> None:
        """``params`` name the vault, and say whether to wait."""
        self.arm, self.params = arm, params

    def _call(self, name: str, call: Callable[[Params], T]) -> T:
        params, kind = {**self.params, "name": name}, KeyVaultSecret()
        while True:
            try:
                return call(params)
            except AzureError as error:
                if not (kind.passes(error, params) and (self.arm.answered or error.status)):
                    raise
                self.arm.deadline.pause(kind.label(params), because=error)

    def listing(self) -> dict[str, bool]:
        """Return the names of all secrets, and whether each is enabled."""

        def read(params: Params) -> dict[str, bool]:
            found = KeyVaultSecret().listing(self.arm, params)
            return {str(each["id"]).rpartition("/")[2]: bool(each["attributes"].get("enabled", True)) for each in found}

        return self._call("", read)

    def get(self, name: str) -> Document:
        """Return a secret that is there, with its value. Raises ``MatchaError`` where it is disabled."""
        found = self._call(name, lambda params: KeyVaultSecret().read(self.arm, params))
        if not found or "value" not in found:
            state = "is disabled: enable it" if found else "has just been deleted: recover it"
            raise MatchaError(f"{KeyVaultSecret().label({**self.params, 'name': name})} {state}, then run this again.")
        return found

    def generate(self, name: str, value: str) -> Document:
        """Make a secret, or recover one that was deleted, whose old value is the right one."""
        body = {"value": value}
        return self._call(name, lambda params: Generated().put(self.arm, params, body, None)) or {}

    def replace(self, name: str, value: str) -> Document:
        """Add a version of a secret."""
        body = {"value": value, "attributes": {"enabled": True}}
        return self._call(name, lambda params: KeyVaultSecret().put(self.arm, params, body, None)) or {}

    def disable(self, name: str) -> None:
        """Make a secret's value nobody's any more."""
        found = self.get(name)
        body = {**KeyVaultSecret().writable(found), "attributes": {"enabled": False}}
        self._call(name, lambda params: KeyVaultSecret().put(self.arm, params, body, found))


def converge(
    vault: Vault, folder: Folder, names: Sequence[str], rotate: Sequence[str], *, apply: bool, copies: bool = True
) -> dict[str, Any]:
    """Make each secret once, and lay a copy of each into the run's folder. Only with ``apply`` the vault is changed.

    ``pending`` names the secrets with a new value that their component does not know yet.
    """
    # Two roles may need the same one.
    with alone(folder.secrets) if copies else nullcontext():
        try:
            there = vault.listing()
        except AzureError as error:
            # Before anything is made there is no vault, and nobody has a right to it.
            if apply or error.code not in (MISSING_VAULT, "ForbiddenByRbac"):
                raise
            there = {}
        before = {name: "in the vault" if name in there else "absent" for name in names}
        result: dict[str, Any] = {"changed": False, "pending": [], "versions": {}}
        after = dict.fromkeys(names, "in the vault")
        for name in names:
            found = _one(vault, folder, name, name in there, apply)
            if found and copies:
                _copy(secret_file(folder, name), str(found["value"]))
            result["versions"][name] = version(found)
            new = f"{name}{PENDING}"
            if there.get(new):
                pending = _is_news(vault, folder, name, found, apply)
            else:
                # A secret that is only just made needs no other value.
                pending = name in rotate and name in there
                if pending:
                    before[new], after[new] = "absent", "to be handed to the component"
                if pending and apply:
                    _copy(secret_file(folder, name + NEXT), str(vault.replace(new, random_value())["value"]))
            result["pending"] += [name] * pending
    return {**result, "changed": before != after, "diff": {"before": before, "after": after}}


def _one(vault: Vault, folder: Folder, name: str, there: bool, apply: bool) -> Document:
    """Return a secret, made if it has to be.

    A copy that is there before the vault has the secret was made while nobody could ask the vault, and is used already.
    """
    if not (there or apply):
        return {}
    known = (read_text(secret_file(folder, name)) or "").rstrip("\r\n")
    return vault.get(name) if there else vault.generate(name, known or random_value())


def _is_news(vault: Vault, folder: Folder, name: str, found: Document, apply: bool) -> bool:
    """Return whether a pending value is another one than the present, and copy it.

    It is the same where a run ended just before it could disable it.
    """
    value = str(vault.get(f"{name}{PENDING}")["value"])
    if value == found["value"]:
        if apply:
            vault.disable(f"{name}{PENDING}")
            secret_file(folder, name + NEXT).unlink(missing_ok=True)
        return False
    if apply:
        _copy(secret_file(folder, name + NEXT), value)
    return True


def _copy(path: Path, value: str) -> None:
    """Lay a copy of a secret into a file; the vault is right where they differ."""
    if read_text(path) != value or not is_private(str(path)):
        write_atomically(path, value)


def version(found: Mapping[str, Any]) -> str:
    """Return the version of a secret, which is another one with each value; empty where it is yet to be made."""
    return str(found.get("id", "")).rpartition("/")[2]


def promote(vault: Vault, folder: Folder, names: Sequence[str], apply: bool) -> dict[str, Any]:
    """Make the new value of a secret the only one, once its component has it."""
    promoted = [name for name in names if secret_file(folder, name + NEXT).exists()]
    versions = {}
    for name in promoted if apply else ():
        path = secret_file(folder, name + NEXT)
        versions[name] = version(vault.replace(name, str(read_text(path))))
        vault.disable(f"{name}{PENDING}")
        os.replace(path, secret_file(folder, name))
    return {
        "changed": bool(promoted),
        "diff": {"before": dict.fromkeys(promoted, "old"), "after": dict.fromkeys(promoted, "new")},
        "pending": [],
        "versions": versions,
    }
