# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administrator's password of a MySQL server: when it is due to be sent.

Azure never tells it. A tag of the server can hold a salted hash, by which another password is known for one.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import MatchaError
from ..options import Document

OPTION, FILE, TAG = "administrator_login_password", "administrator_login_password_file", "password_tag"
# In a plan, for what is to be read from a file that another task has yet to make.
NOT_THERE = "(not there yet)"
ROUNDS = 200_000


def fingerprint(password: str, salt: str = "") -> str:
    """Return a password's salted hash, as a tag holds it."""
    salt = salt or os.urandom(8).hex()
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), bytes.fromhex(salt), ROUNDS)
    return f"{salt}-{digest.hex()[:32]}"


def is_of(mark: str | None, password: str) -> bool:
    """Return whether a tag's hash is that of a password."""
    salt = str(mark or "").partition("-")[0]
    try:
        return bool(mark) and hmac.compare_digest(fingerprint(password, salt), str(mark))
    except ValueError:
        return False


def check_password(params: Mapping[str, Any], label: str) -> None:
    """Raise ``MatchaError`` if the options contradict each other."""
    if params.get(OPTION) and params.get(FILE):
        raise MatchaError(f"{label}: the password must be said once: set {OPTION}, or {FILE}.")
    if params.get("update_password") == "on_change" and not params.get(TAG):
        raise MatchaError(f"{label}: update_password=on_change compares by a tag: set {TAG} to its name.")


def with_password(params: Mapping[str, Any], found: Document) -> dict[str, Any]:
    """Return the options with the password if it is due, and with the tag that tells of it."""
    password, tag = params.get(OPTION), params.get(TAG)
    if params.get(FILE):
        path = Path(params[FILE])
        password = path.read_text(encoding="utf-8").rstrip("\n") if path.exists() else NOT_THERE
    tags = found.get("tags") or {}
    when = params.get("update_password")
    due = not found.get("id") or when == "always"
    if when == "on_change" and password:
        due = due or not is_of(tags.get(tag), password)
    result = {**params, OPTION: password if due else None}
    mark = fingerprint(password) if due and password else tags.get(tag)
    if tag and mark:
        result["tags"] = {**(tags if params.get("tags") is None else params["tags"]), tag: mark}
    return result


def refuse_missing(body: Document, params: Mapping[str, Any]) -> None:
    """Raise ``MatchaError`` rather than send a plan's word for a password."""
    if (body.get("properties") or {}).get("administratorLoginPassword") == NOT_THERE:
        raise MatchaError(f"{params[FILE]} is not there: write the password into it, or set {OPTION}.")
