# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's MariaDB, not installed but unpacked: what stands for a MySQL Flexible Server.

It listens on 127.0.0.1 with TLS, runs as a user who can nothing, and ends with the process that started it. This
process speaks to it through a socket in a folder of its own. MariaDB lacks some of MySQL's parameters and collations:
they are left out by name.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kubernetes.packages import packages
from tests.simulator.guarded import Guarded

if TYPE_CHECKING:
    import trustme

PACKAGES = ("mariadb-server-core", "mariadb-client-core", "mariadb-common")
START_TIMEOUT = 120
# As MySQL 8.4 on Azure has them.
SETTINGS = {
    "character-set-server": "utf8mb4",
    "collation-server": "utf8mb4_unicode_ci",
    "lower-case-table-names": "1",
    "sql-mode": "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION",
    "innodb-buffer-pool-size": "64M",
    "innodb-log-file-size": "48M",
    # A machine that loses its power need not be survived.
    "innodb-flush-log-at-trx-commit": "2",
    "max-connections": "300",
}
# What Azure's administrator may not do.
WITHHELD = "SUPER, FILE, SHUTDOWN, CREATE TABLESPACE"


def text(value: str) -> str:
    """Write a string of SQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def name(value: str) -> str:
    """Write a name of SQL."""
    return "`" + value.replace("`", "``") + "`"


class SqlError(RuntimeError):
    """The server refused a statement."""


class MariaDB:
    """One server with its data, which lasts as long as the folder."""

    def __init__(self, folder: Path, host: str, authority: trustme.CA) -> None:
        """`host` is what clients call it by, and is in its certificate."""
        self.folder = folder
        self.port = 0
        self._root = packages(PACKAGES, depends=True)
        self._process: Guarded | None = None
        if not folder.exists():
            self._prepare(host, authority)

    # -- programs

    def _program(self, path: str, *arguments: str) -> list[str]:
        """Run one of the package's programs with the package's libraries."""
        loader = next((self._root / "lib64").glob("ld-linux*"))
        places = sorted({str(found.parent) for found in self._root.glob("**/*.so*") if "plugin" not in found.parts})
        return [str(loader), "--library-path", ":".join(places), str(self._root / path), *arguments]

    @property
    def _user(self) -> str:
        """Who the server runs as: root steps down."""
        return "nobody" if os.geteuid() == 0 else getpass.getuser()

    def _server(self, *arguments: str) -> list[str]:
        folder = self.folder
        return self._program(
            "usr/sbin/mariadbd",
            "--no-defaults",
            f"--user={self._user}",
            f"--datadir={folder / 'data'}",
            f"--tmpdir={folder / 'tmp'}",
            f"--lc-messages-dir={folder / 'share'}",
            f"--character-sets-dir={folder / 'share' / 'charsets'}",
            f"--plugin-dir={folder / 'share'}",
            *(f"--{key}={value}" for key, value in SETTINGS.items()),
            *arguments,
        )

    # -- data

    def _prepare(self, host: str, authority: trustme.CA) -> None:
        self.folder.mkdir(parents=True, mode=0o700)
        for part in ("data", "tmp", "tls"):
            (self.folder / part).mkdir(mode=0o700)
        shutil.copytree(self._root / "usr/share/mysql", self.folder / "share")
        leaf = authority.issue_cert(host)
        (self.folder / "tls/certificate.pem").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
        (self.folder / "tls/key.pem").touch(0o600)
        leaf.private_key_pem.write_to_path(str(self.folder / "tls/key.pem"))
        authority.cert_pem.write_to_path(str(self.folder / "tls/authority.pem"))
        self._first_statements()
        self._hand_over()
        share = self.folder / "share"
        tables = ("mysql_system_tables", "mysql_performance_tables", "mysql_system_tables_data")
        script = ["CREATE DATABASE IF NOT EXISTS mysql;", "USE mysql;", "SET @auth_root_socket = NULL;"]
        script += ["SET @skip_auth_anonymous_user = 1;", *((share / f"{one}.sql").read_text("utf-8") for one in tables)]
        made = subprocess.run(
            self._server("--bootstrap", "--log-warnings=0"),
            input="\n".join(script).encode(),
            capture_output=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"MariaDB cannot make its data: {made.stderr.decode(errors='replace')[-2000:]}")

    def _first_statements(self) -> None:
        """Write what the server does at each start: this process's user comes in by the socket, and nobody else."""
        me = text(getpass.getuser())
        (self.folder / "first.sql").write_text(
            f"CREATE USER IF NOT EXISTS {me}@'localhost' IDENTIFIED VIA unix_socket;\n"
            f"ALTER USER {me}@'localhost' IDENTIFIED VIA unix_socket;\n"
            f"GRANT ALL PRIVILEGES ON *.* TO {me}@'localhost' WITH GRANT OPTION;\n"
            "DELETE FROM mysql.global_priv WHERE Host <> '%' AND NOT "
            f"(Host = 'localhost' AND User IN ({me}, 'mariadb.sys'));\nFLUSH PRIVILEGES;\n",
            encoding="utf-8",
        )

    def _hand_over(self) -> None:
        if self._user != "nobody":
            return
        nobody = pwd.getpwnam("nobody")
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)

    # -- life

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.runs

    @property
    def _socket(self) -> Path:
        return self.folder / "socket"

    def start(self) -> None:
        """Serve, and return when the server answers."""
        if self.runs:
            return
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        tls = self.folder / "tls"
        command = self._server(
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            f"--socket={self._socket}",
            f"--pid-file={self.folder / 'pid'}",
            "--skip-name-resolve",
            f"--init-file={self.folder / 'first.sql'}",
            f"--ssl-cert={tls / 'certificate.pem'}",
            f"--ssl-key={tls / 'key.pem'}",
            f"--ssl-ca={tls / 'authority.pem'}",
            "--require-secure-transport=ON",
        )
        with (self.folder / "log").open("ab") as log:
            self._process = Guarded(command, log)
        end = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if not self._process.runs or time.monotonic() > end:
                self.stop()
                said = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"MariaDB does not start: {said}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.sql("SELECT 1") == [["1"]]
        except SqlError:
            return False

    def stop(self) -> None:
        if self._process:
            self._process.stop()
            self._process = None

    def remove(self) -> None:
        """End it, and let its data go."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- statements

    def sql(self, *statements: str) -> list[list[str]]:
        """Run statements as this process's user, and return the rows that they give."""
        command = self._program("usr/bin/mariadb", "--no-defaults", f"--socket={self._socket}", "-N", "-B")
        done = subprocess.run(
            command, input=";\n".join(statements) + ";\n", capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SqlError(done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    def log_in(self, user: str, password: str, statement: str, port: int = 0, host: str = "127.0.0.1") -> str:
        """Run a statement as a client does, through TCP with TLS; return its output, or raise what was said."""
        command = self._program("usr/bin/mariadb", "--no-defaults", "--protocol=TCP", f"--host={host}", "-N", "-B")
        command += [f"--port={port or self.port}", f"--user={user}", f"--ssl-ca={self.folder / 'tls/authority.pem'}"]
        done = subprocess.run(
            command,
            input=statement,
            env={**os.environ, "MYSQL_PWD": password},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SqlError(done.stderr.strip())
        return done.stdout.strip()

    def administrator(self, user: str, password: str) -> None:
        """Let this user do what Azure's administrator may, with this password."""
        who = f"{text(user)}@'%'"
        self.sql(
            f"CREATE USER IF NOT EXISTS {who} IDENTIFIED BY {text(password)}",
            f"ALTER USER {who} IDENTIFIED BY {text(password)}",
            f"GRANT ALL PRIVILEGES ON *.* TO {who} WITH GRANT OPTION",
            f"REVOKE {WITHHELD} ON *.* FROM {who}",
        )

    def databases(self) -> set[str]:
        system = {"information_schema", "mysql", "performance_schema", "sys"}
        return {row[0] for row in self.sql("SHOW DATABASES")} - system

    def create_database(self, database: str, charset: str) -> None:
        self.sql(f"CREATE DATABASE IF NOT EXISTS {name(database)} CHARACTER SET {charset}")

    def drop_database(self, database: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {name(database)}")

    def set_parameter(self, parameter: str, value: str) -> bool:
        """Set a parameter for connections to come; return whether MariaDB knows it."""
        try:
            self.sql(f"SET GLOBAL {name(parameter)} = {value if value.isdigit() else text(value)}")
        except SqlError:
            return False
        return True
