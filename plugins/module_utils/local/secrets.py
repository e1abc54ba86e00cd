# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: one file each, readable by their owner alone, and nowhere else."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ..files import alone, read_text
from ..rest import is_private, read_secret, write_secret
from .folder import Folder

# A new value beside the old one, until the component has it.
NEXT = ".new"


def secret_file(folder: Folder, name: str) -> Path:
    """Return the file of a secret."""
    return folder.secrets / name


def read(folder: Folder, name: str) -> str:
    """Return a secret. Raises ``rest.SecretFileError``."""
    return read_secret(str(secret_file(folder, name)), f"the secret '{name}'")


def redact(folder: Folder, text: str) -> str:
    """Return a text without the values of the deployment's secrets."""
    for path in folder.secrets.glob("*") if folder.secrets.is_dir() else ():
        value = (read_text(path) or "").strip()
        if value:
            text = text.replace(value, "(hidden)")
    return text


def converge(folder: Folder, names: Sequence[str], rotate: Sequence[str], apply: bool) -> dict[str, Any]:
    """Make each secret once. With ``rotate`` put a new value beside the old one: see ``promote``.

    ``pending`` names the secrets with such a value, also of a run that was interrupted.
    """
    # Two roles may need the same one.
    with alone(folder.secrets) if apply else nullcontext():
        return _converge(folder, names, rotate, apply)


def _converge(folder: Folder, names: Sequence[str], rotate: Sequence[str], apply: bool) -> dict[str, Any]:
    before, after = {}, {}
    for name in names:
        path = secret_file(folder, name)
        there, private = path.exists(), is_private(str(path))
        before[name] = ("owner only" if private else "others can read it") if there else "absent"
        after[name] = "owner only"
        if apply and not there:
            write_secret(str(path), secrets.token_urlsafe(32))
        elif apply and not private:
            os.chmod(path, 0o600)
    pending = []
    for name in names:
        path = secret_file(folder, name + NEXT)
        # A secret that is only just made needs no other value.
        if name in rotate and before[name] != "absent" and not path.exists():
            before[name + NEXT], after[name + NEXT] = "absent", "to be handed to the component"
            if apply:
                write_secret(str(path), secrets.token_urlsafe(32))
        if path.exists() or name + NEXT in after:
            pending.append(name)
    return {"changed": before != after, "diff": {"before": before, "after": after}, "pending": pending}


def promote(folder: Folder, names: Sequence[str], apply: bool) -> dict[str, Any]:
    """Put the new value of a secret in the place of the old one, once its component has it."""
    promoted = [name for name in names if secret_file(folder, name + NEXT).exists()]
    for name in promoted if apply else ():
        os.replace(secret_file(folder, name + NEXT), secret_file(folder, name))
    return {
        "changed": bool(promoted),
        "diff": {"before": dict.fromkeys(promoted, "old"), "after": dict.fromkeys(promoted, "new")},
        "pending": [],
    }
