# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MySQL Flexible Servers, with their databases, firewall rules and parameters.

A server is busy while one of these is written, so that they are written one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ...errors import MatchaError
from ..arm import Arm
from ..errors import AzureError
from ..kind import Kind, Params
from ..options import Change, Document, Option, Options, dig
from .mysql_options import DATABASE, FIREWALL_RULE, NEW_SERVER, OPTIONS
from .mysql_password import check_password, refuse_missing, with_password

PROVIDER = "{group}/providers/Microsoft.DBforMySQL/flexibleServers"
VERSION = "8.4"
BUSY = ("ServerUnavailableForOperation",)
SIZE = ("properties", "storage", "storageSizeGB")
ENCRYPTION = ("properties", "dataEncryption")
STANDBY_ZONE = ("properties", "highAvailability", "standbyAvailabilityZone")


class ServerPart(Kind):
    """What is in a server. Azure takes it whole."""

    api_version = "2024-12-30"
    patches = False
    transient = BUSY

    def label(self, params: Params) -> str:
        """Return what messages call the part."""
        return f"{super().label(params)} of the MySQL server '{params['parent']}'"


class Database(ServerPart):
    """A database."""

    noun = "database"
    path = f"{PROVIDER}/{{parent}}/databases/{{name}}"
    options = DATABASE

    def defaults(self, params: Params) -> Document:
        """Return what a new database has: what the server chooses, if the task does not say."""
        return {"properties": {}}


class FirewallRule(ServerPart):
    """A range of addresses that may reach the server."""

    noun = "firewall rule"
    path = f"{PROVIDER}/{{parent}}/firewallRules/{{name}}"
    options = FIREWALL_RULE

    def check(self, params: Params) -> None:
        """Refuse a rule with one end."""
        if params["state"] == "present" and not (params.get("start_ip_address") and params.get("end_ip_address")):
            raise MatchaError(f"firewall_rules[{params['name']}] needs start_ip_address and end_ip_address.")


class Configuration(ServerPart):
    """A parameter of the server. All of them are always there."""

    noun = "parameter"
    path = f"{PROVIDER}/{{parent}}/configurations/{{name}}"
    options: ClassVar[Options] = {"name": Option(azure="-"), "value": Option(azure="properties.value")}

    def elements(self, wanted: Any) -> Iterable[Params]:
        """Return the parameters that a task names, all values as texts: YAML takes MySQL's ON and OFF for its own."""
        words = {True: "ON", False: "OFF"}
        return [
            {"name": name, "value": words[value] if isinstance(value, bool) else str(value)}
            for name, value in wanted.items()
            if value is not None
        ]

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Send no more than the value."""
        properties = {"value": body["properties"]["value"], "source": "user-override"}
        return super().put(arm, params, {"properties": properties}, found)


class MysqlFlexibleServer(Kind):
    """A server."""

    noun = "MySQL server"
    path = f"{PROVIDER}/{{name}}"
    api_version = "2024-12-30"
    options = OPTIONS
    children: ClassVar[Mapping[str, Kind]] = {
        "configurations": Configuration(),
        "databases": Database(),
        "firewall_rules": FirewallRule(),
    }
    read_only_properties = (
        "state",
        "fullVersion",
        "fullyQualifiedDomainName",
        "replicaCapacity",
        "privateEndpointConnections",
        "storage.storageSku",
        "backup.earliestRestoreDate",
        "highAvailability.state",
    )
    transient = BUSY
    secrets = ("administratorLoginPassword",)
    states = ("present", "absent", "started", "stopped")

    def provisioning_state(self, found: Document) -> str:
        """Return what is being done to the server. A stopped one is at rest too."""
        state = state_of(found)
        return {"stopped": "ready", "disabled": "ready", "dropping": "deleting"}.get(state, state)

    def check(self, params: Params) -> None:
        """Refuse a part that is incomplete, before anything is written."""
        check_password(params, self.label(params))
        rule = self.children["firewall_rules"]
        for each in params.get("firewall_rules") or ():
            rule.check(each)

    def defaults(self, params: Params) -> Document:
        """Return what a new server has. Raises ``MatchaError`` where the task leaves open what nobody can guess."""
        needed = ("location", "sku", "administrator_login", "administrator_login_password")
        missing = [name for name in needed if not params.get(name) and not params.get(f"{name}_file")]
        if missing:
            raise MatchaError(f"{self.label(params)} is not there yet, and needs {', '.join(missing)}.")
        return {"properties": {"version": VERSION}}

    def adapt(self, params: Params, found: Document) -> Params:
        """Send the password when it is due, and leave a disk that grew by itself as large as it is."""
        adapted = dict(super().adapt(with_password(params, found), found))
        storage, size = params.get("storage") or {}, dig(found, SIZE)
        grows = dig(found, ("properties", "storage", "autoGrow")) == "Enabled"
        if size and grows and (storage.get("storage_size_gb") or size) < size:
            adapted["storage"] = {**storage, "storage_size_gb": None}
        return adapted

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Make the server, or send all of it again, with a password that is there."""
        refuse_missing(body, params)
        return super().put(arm, params, body, found)

    def patch(self, arm: Arm, params: Params, body: Document) -> Document | None:
        """Change a part of the server, with a password that is there."""
        refuse_missing(body, params)
        return super().patch(arm, params, body)

    def fixed(self, change: Change) -> bool:
        """Return whether Azure cannot make a change. It tells all there is of a server."""
        return bool(change.option.immutable)

    def refuse(self, params: Params, found: Document, changes: list[Change]) -> None:
        """Refuse what is immutable, what only grows, and any change while the server is stopped."""
        super().refuse(params, found, changes)
        for change in changes:
            if change.path == SIZE and change.before and change.after < change.before:
                raise AzureError(self.label(params), f"{change}, and a disk only grows. {NEW_SERVER}", "Immutable")
            if change.name == "version" and numbers(change.after) < numbers(change.before):
                raise AzureError(self.label(params), f"{change}, and there is no way back. {NEW_SERVER}", "Immutable")
        if changes and state_of(found) == "stopped" and params["state"] != "started":
            self._refuse_stopped(params, ", ".join(change.name for change in changes))

    def _refuse_stopped(self, params: Params, what: str) -> None:
        raise AzureError(
            self.label(params), f"is stopped, and Azure changes nothing ({what}) until it runs: set state=started",
            "Stopped",
        )  # fmt: skip

    def reachable(self, params: Params, found: Document | None) -> bool:
        """Return whether the server's parts can be looked at: not those of a stopped one."""
        if found is None or state_of(found) != "stopped":
            return super().reachable(params, found)
        named = [name for name in self.children if params.get(name)]
        # One that would be started is still stopped in check mode.
        if named and params["state"] == "present":
            self._refuse_stopped(params, ", ".join(named))
        return False

    def writable(self, found: Document) -> Document:
        """Return what can be sent back; no zone comes as an empty text."""
        result = super().writable(found)
        if dig(result, STANDBY_ZONE) == "":
            del result["properties"]["highAvailability"]["standbyAvailabilityZone"]
        return result

    def tidy(self, body: Document) -> Document:
        """Return a body as Azure takes it: with Azure's own keys, there are none in a vault, and no identities."""
        encryption = dig(body, ENCRYPTION) or {}
        if encryption.get("type") == "SystemManaged":
            encryption.update(dict.fromkeys(encryption.keys() - {"type"}, ""))
        return super().tidy(body)

    def before(self, arm: Arm, params: Params, found: Document, check_mode: bool) -> list[Change]:
        """Start a stopped server, if that is asked for: Azure changes nothing on a stopped one."""
        if params["state"] != "started" or state_of(found) != "stopped":
            return []
        return self._power(arm, params, found, "Ready", check_mode)

    def after(self, arm: Arm, params: Params, found: Document, check_mode: bool) -> list[Change]:
        """Stop the server, if that is asked for."""
        if params["state"] != "stopped" or state_of(found) == "stopped":
            return []
        return self._power(arm, params, found, "Stopped", check_mode)

    def _power(self, arm: Arm, params: Params, found: Document, state: str, check_mode: bool) -> list[Change]:
        path = ("properties", "state")
        # What a new server's state is before it is stopped is nobody's wish.
        change = Change(path, dig(found, path), state, "state", Option())
        if not check_mode:
            action = "start" if state == "Ready" else "stop"
            arm.act(self.label(params), f"{self.id(arm, params)}/{action}", self.api_version, wait=params["wait"])
            found.update(self.read(arm, params) or {})
        return [change]


def state_of(found: Document) -> str:
    """Return what a server is doing, in lower case."""
    return str(dig(found, ("properties", "state")) or "").casefold()


def numbers(version: Any) -> list[int]:
    """Return a version for comparison."""
    return [int(part) for part in str(version or 0).split(".") if part.isdigit()]
