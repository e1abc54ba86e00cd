# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of an MLflow server with basic authentication, over its REST interface."""

from __future__ import annotations

from base64 import b64encode

from .rest import DeniedError, Rest

USERS = "/api/2.0/mlflow/users"


def session(url: str, username: str, password: str, timeout: float = 30.0) -> Rest:
    """Return a client with a user's credentials; nothing is sent yet."""
    token = b64encode(f"{username}:{password}".encode()).decode()
    return Rest("MLflow", url, timeout, f"Basic {token}")


def password_works(url: str, username: str, password: str, timeout: float = 30.0) -> bool:
    """Return whether a user's password is this one. Raises ``rest.RestError``."""
    try:
        session(url, username, password, timeout).request("GET", f"{USERS}/current")
    except DeniedError:
        return False
    return True


def change_password(url: str, username: str, old: str, new: str, timeout: float = 30.0) -> None:
    """Change a user's own password. Raises ``rest.RestError``."""
    body = {"username": username, "password": new, "current_password": old}
    session(url, username, old, timeout).request("PATCH", f"{USERS}/update-password", body=body)
