# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desired state on a ZenML server, over its REST interface.

Every ``converge_*`` function reads what is there, computes ``before`` and ``after`` and, with
``apply``, changes what differs. What the caller did not name is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from .rest import HIDDEN, HIDDEN_NEW, Change, DeniedError, Rest, RestError

Resource = dict[str, Any]


class Zenml:
    """A session with a ZenML server. All methods raise ``rest.RestError``."""

    def __init__(self, rest: Rest) -> None:
        """Use a client that is already logged in; see ``login``."""
        self._rest = rest

    @classmethod
    def login(cls, url: str, username: str, password: str, timeout: float = 30.0) -> Zenml:
        """Log in with a user's name and password.

        Raises ``rest.DeniedError`` where the server does not accept them.
        """
        try:
            return cls._login(url, {"username": username, "password": password}, timeout)
        except DeniedError as error:
            message = f"ZenML at {url} does not accept the password of '{username}': put the right one into its file."
            raise DeniedError(message, error.status) from error

    @classmethod
    def login_with_key(cls, url: str, api_key: str, timeout: float = 30.0) -> Zenml:
        """Log in with a service account's API key, as a ZenML client does."""
        return cls._login(url, {"password": api_key}, timeout)

    @classmethod
    def _login(cls, url: str, form: Mapping[str, str], timeout: float) -> Zenml:
        answer = Rest("ZenML", url, timeout).request("POST", "/api/v1/login", form=form)
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise RestError(f"What answers at {url} is not a ZenML server: it gave no access token.")
        return cls(Rest("ZenML", url, timeout, f"Bearer {answer['access_token']}"))

    def get(self, path: str, **query: str) -> Any:
        """Read a resource, or a page of them."""
        return self._rest.request("GET", f"/api/v1/{path}", query=query)

    def post(self, path: str, body: Mapping[str, Any]) -> Resource:
        """Make a resource."""
        return dict(self._rest.request("POST", f"/api/v1/{path}", body=body))

    def put(self, path: str, body: Mapping[str, Any], **query: str) -> Resource:
        """Change a resource."""
        return dict(self._rest.request("PUT", f"/api/v1/{path}", query=query, body=body))

    def delete(self, path: str) -> None:
        """Remove a resource."""
        self._rest.request("DELETE", f"/api/v1/{path}")

    def find(self, collection: str, name: str, **filters: str) -> Resource | None:
        """Return the one resource with this name, or None."""
        items: list[Resource] = self.get(collection, name=f"equals:{name}", hydrate="true", **filters)["items"]
        return items[0] if items else None


def converge_secret(client: Zenml, name: str, values: Mapping[str, str], *, apply: bool) -> Change:
    """Give a secret these values. Its other values stay."""
    found = client.find("secrets", name)
    # A list never holds the values.
    now: dict[str, str] = client.get(f"secrets/{found['id']}")["body"]["values"] if found else {}
    missing = {key: value for key, value in values.items() if now.get(key) != value}
    before = dict.fromkeys(now, HIDDEN)
    after = {**before, **{key: HIDDEN_NEW if key in now else HIDDEN for key in missing}}
    if apply and not found:
        client.post("secrets", {"name": name, "values": dict(values)})
    elif apply and found and missing:
        client.put(f"secrets/{found['id']}", {"values": missing}, patch_values="true")
    return Change({name: before} if found else {}, {name: after})


def converge_component(
    client: Zenml, kind: str, name: str, flavor: str, configuration: Mapping[str, Any], *, apply: bool
) -> Change:
    """Register a stack component, or give it this configuration. Its other settings stay.

    ``result`` holds ``id``, which is None where the component is only planned. Raises
    ``RestError`` where a component of the same name has another flavor, which ZenML cannot change.
    """
    found = client.find("components", name, type=kind)
    now: Resource = found["metadata"]["configuration"] if found else {}
    if found and found["body"]["flavor_name"] != flavor:
        raise RestError(
            f"The ZenML {kind} '{name}' has the flavor '{found['body']['flavor_name']}', and ZenML cannot change it "
            f"to '{flavor}': delete it ('zenml {kind.replace('_', '-')} delete {name}'), or choose another name."
        )
    # ZenML wants some settings to be sent although they are null, and then keeps none.
    nulls = {key: None for key, value in configuration.items() if found and value is None and now.get(key) is None}
    # ZenML may have parsed a value: "8080" and 8080 are the same setting.
    wanted = {
        key: now[key] if key in now and str(now[key]) == str(value) else value
        for key, value in configuration.items()
        if key not in nulls
    }
    settings = {**now, **wanted}
    label = f"{kind} {name}"
    before = {label: {"flavor": flavor, "configuration": now}} if found else {}
    after = {label: {"flavor": flavor, "configuration": settings}}
    if apply and not found:
        found = client.post(
            "components", {"name": name, "type": kind, "flavor": flavor, "configuration": dict(configuration)}
        )
    elif apply and found and before != after:
        client.put(f"components/{found['id']}", {"configuration": {**settings, **nulls}})
    return Change(before, after, {"id": found["id"] if found else None})


def converge_stack(
    client: Zenml, name: str, components: Mapping[str, Mapping[str, str | None]], description: str, *, apply: bool
) -> Change:
    """Register a stack, or give it these components: type, then name and identifier.

    Components of types that are not named stay.
    """
    found = client.find("stacks", name)
    there: dict[str, list[Resource]] = found["metadata"]["components"] if found else {}
    before: Resource = {}
    if found:
        names = {kind: sorted(item["name"] for item in items) for kind, items in there.items()}
        before = {name: {"description": found["metadata"]["description"], "components": names}}
    kept = {kind: {item["name"]: item["id"] for item in items} for kind, items in there.items()}
    wanted: dict[str, Mapping[str, str | None]] = {**kept, **components}
    after = {name: {"description": description, "components": {kind: sorted(items) for kind, items in wanted.items()}}}
    body = {
        "name": name,
        "description": description,
        "components": {kind: list(items.values()) for kind, items in wanted.items()},
    }
    if apply and not found:
        found = client.post("stacks", body)
    elif apply and found and before != after:
        client.put(f"stacks/{found['id']}", body)
    return Change(before, after, {"id": found["id"] if found else None})


def converge_service_account(client: Zenml, name: str, description: str, *, apply: bool) -> Change:
    """Make a service account, or make it active again. ``result`` holds ``id``."""
    found = client.find("service_accounts", name)
    before: Resource = {}
    if found:
        before = {name: {"active": found["body"]["active"], "description": found["metadata"]["description"]}}
    after = {name: {"active": True, "description": description}}
    body = {"name": name, "description": description, "active": True}
    if apply and not found:
        found = client.post("service_accounts", body)
    elif apply and found and before != after:
        client.put(f"service_accounts/{found['id']}", body)
    return Change(before, after, {"id": found["id"] if found else None})


def key_works(url: str, api_key: str, account: str, timeout: float = 30.0) -> bool:
    """Return whether an API key logs in as this service account."""
    try:
        user = Zenml.login_with_key(url, api_key, timeout).get("current-user")
    except DeniedError:
        return False
    return bool(user["name"] == account)


def new_api_key(client: Zenml, account_id: str, name: str) -> str:
    """Make the API key with this name, or replace it. Returns the key, which is shown only once.

    The key it replaces ends at once.
    """
    path = f"service_accounts/{account_id}/api_keys"
    if client.find(path, name):
        key = client.put(f"{path}/{quote(name, safe='')}/rotate", {"retain_period_minutes": 0})
    else:
        key = client.post(path, {"name": name})
    return str(key["body"]["key"])


def password_works(url: str, username: str, password: str, timeout: float = 30.0) -> bool:
    """Return whether a user's password is this one."""
    try:
        Zenml.login(url, username, password, timeout)
    except DeniedError:
        return False
    return True


def change_password(client: Zenml, old: str, new: str) -> None:
    """Change the password of the user who is logged in."""
    client.put("current-user", {"old_password": old, "password": new})
