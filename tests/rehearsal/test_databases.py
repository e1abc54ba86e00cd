# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated MySQL server has a real one: what is asked of Azure is so for a client."""

from __future__ import annotations

import json
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.databases import Databases
from tests.rehearsal.following import Followers
from tests.rehearsal.mariadb import SqlError
from tests.simulator.arm import Request
from tests.simulator.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = {"api-version": "2023-12-30"}
GROUP = f"/subscriptions/{Simulator.subscription}/resourceGroups/tea"
SERVER = f"{GROUP}/providers/Microsoft.DBforMySQL/flexibleServers/teazenmlserver"
PASSWORD, OTHER = "Sesame-1-open", "Sesame-2-open"


class Azure:
    """A simulator without listeners, and the databases that follow it."""

    def __init__(self, folder: Path) -> None:
        import trustme

        self.simulator = Simulator(speed=1000)
        self.address = "20.0.0.5"
        self.databases = Databases(self.simulator, folder, trustme.CA(), lambda: self.address)
        self.databases.start()
        self.simulator.outside = Followers([self.databases])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        raw = json.dumps(body).encode() if body is not None else b""
        answer = self.simulator.handle(Request(self.simulator, method, path, VERSION, {}, raw, plain=True))
        assert answer.status < 300, answer.body
        return answer.body

    def done(self, path: str, state: str = "") -> None:
        """Wait until everything that is under way has ended."""
        while self.simulator.operations.pending(SERVER):
            self.call("GET", GROUP)
        if state:
            assert self.call("GET", path)["properties"]["state"] == state

    def put(self, path: str, **properties: Any) -> None:
        self.call("PUT", path, {"properties": properties})
        self.done(SERVER)

    def log_in(self, password: str, statement: str = "SELECT CURRENT_USER()") -> str:
        database = next(iter(self.databases.servers.values())).database
        return database.log_in("matcha", password, statement, port=self.databases.gate.port)


@pytest.fixture
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azure]:
    import shutil
    import tempfile
    from pathlib import Path

    del tmp_path_factory
    # The database's own user must get there.
    folder = Path(tempfile.mkdtemp(prefix="databases-"))
    folder.chmod(0o711)
    found = Azure(folder)
    yield found
    found.databases.close()
    found.simulator.close()
    assert not list(folder.iterdir())
    shutil.rmtree(folder)


def make(azure: Azure) -> None:
    azure.call("PUT", GROUP, {"location": "westeurope"})
    login = {"administratorLogin": "matcha", "administratorLoginPassword": PASSWORD, "version": "8.4"}
    sku = {"name": "Standard_B2s", "tier": "Burstable"}
    azure.call("PUT", SERVER, {"location": "westeurope", "sku": sku, "properties": login})
    azure.done(SERVER, "Ready")


def test_a_server_lives_as_azure_says(azure: Azure) -> None:
    make(azure)
    with pytest.raises(SqlError, match=r"address '20\.0\.0\.5' is not allowed"):
        azure.log_in(PASSWORD)
    azure.put(f"{SERVER}/firewallRules/outbound", startIpAddress="20.0.0.5", endIpAddress="20.0.0.5")
    assert azure.log_in(PASSWORD) == "matcha@%"
    azure.put(f"{SERVER}/databases/zenml", charset="utf8mb4", collation="utf8mb4_0900_ai_ci")
    azure.put(f"{SERVER}/configurations/sql_generate_invisible_primary_key", value="OFF", source="user-override")
    azure.put(f"{SERVER}/configurations/wait_timeout", value="120", source="user-override")
    azure.log_in(PASSWORD, "CREATE TABLE zenml.cups (n INT); INSERT INTO zenml.cups VALUES (4711)")
    assert azure.log_in(PASSWORD, "SELECT @@wait_timeout") == "120"
    # Another password.
    azure.call("PATCH", SERVER, {"properties": {"administratorLoginPassword": OTHER}})
    azure.done(SERVER)
    with pytest.raises(SqlError, match="Access denied"):
        azure.log_in(PASSWORD)
    assert azure.log_in(OTHER, "SELECT n FROM zenml.cups") == "4711"
    # Stopped, and started on the same data.
    azure.call("POST", f"{SERVER}/stop")
    azure.done(SERVER, "Stopped")
    with pytest.raises(SqlError):
        azure.log_in(OTHER)
    azure.call("POST", f"{SERVER}/start")
    azure.done(SERVER, "Ready")
    assert azure.log_in(OTHER, "SELECT n, @@wait_timeout FROM zenml.cups").split() == ["4711", "120"]
    # Another caller, whom no rule names.
    azure.address = "20.0.0.6"
    with pytest.raises(SqlError, match="not allowed"):
        azure.log_in(OTHER)
    azure.address = "20.0.0.5"
    azure.call("DELETE", f"{SERVER}/databases/zenml")
    azure.done(SERVER)
    assert "zenml" not in azure.log_in(OTHER, "SHOW DATABASES")


def test_a_new_server_of_the_same_name_is_empty(azure: Azure) -> None:
    make(azure)
    azure.put(f"{SERVER}/firewallRules/outbound", startIpAddress="20.0.0.5", endIpAddress="20.0.0.5")
    azure.put(f"{SERVER}/databases/zenml", charset="utf8mb4")
    # With its group, as destroy does it.
    azure.call("DELETE", GROUP)
    while azure.simulator.store.get(GROUP):
        azure.simulator.operations.settle()
    make(azure)
    azure.put(f"{SERVER}/firewallRules/outbound", startIpAddress="20.0.0.5", endIpAddress="20.0.0.5")
    assert "zenml" not in azure.log_in(PASSWORD, "SHOW DATABASES")


def test_nobody_comes_in_without_tls_or_as_the_machine_s_own_user(azure: Azure) -> None:
    make(azure)
    azure.put(f"{SERVER}/firewallRules/all", startIpAddress="1.0.0.0", endIpAddress="255.255.255.255")
    database = next(iter(azure.databases.servers.values())).database
    with pytest.raises(SqlError, match="Access denied"):
        database.log_in("root", "", "SELECT 1")
    assert "TLS" in azure.log_in(PASSWORD, "SHOW STATUS LIKE 'Ssl_cipher'")
    rights = azure.log_in(PASSWORD, "SHOW GRANTS").split("IDENTIFIED")[0]
    assert "SUPER" not in rights
    assert "FILE" not in rights
    assert certificate(azure.databases.gate.port, database.folder / "tls/authority.pem") == {
        "teazenmlserver.mysql.database.azure.com"
    }


def certificate(port: int, authority: Path) -> set[str]:
    """Return the names in a server's certificate, after MySQL's own greeting and a client's wish for TLS."""
    context = ssl.create_default_context(cafile=str(authority))
    with socket.create_connection(("127.0.0.1", port)) as plain:
        greeting = plain.recv(4096)
        assert b"MariaDB" in greeting
        # Capabilities: protocol 4.1, TLS, secure connection.
        wish = (0x0200 | 0x0800 | 0x8000).to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x2d" + bytes(23)
        plain.sendall(len(wish).to_bytes(3, "little") + b"\x01" + wish)
        with context.wrap_socket(plain, server_hostname="teazenmlserver.mysql.database.azure.com") as secure:
            return {value for _, value in secure.getpeercert()["subjectAltName"]}
