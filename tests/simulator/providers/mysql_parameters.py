# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server parameters of MySQL Flexible Server: what each may be, and what it is by default.

`max_connections` is recorded. The others are second-hand, from the public documentation of MySQL and Azure; there are
some 450 on a real server, and these are those that a stack such as ours touches or looks at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DOCUMENTATION = "https://dev.mysql.com/doc/refman/{release}/en/{page}.html#sysvar_{name}"


@dataclass(frozen=True)
class Parameter:
    """One server parameter, as Azure describes it."""

    name: str
    default: str
    allowed: str
    description: str
    kind: str = "Enumeration"
    dynamic: bool = True
    read_only: bool = False
    page: str = "server-system-variables"
    since: str = "5.7"

    def accepts(self, value: str) -> bool:
        if self.kind == "Enumeration":
            return value.upper() in self.allowed.upper().split(",")
        if self.kind == "Set":
            return {part.strip().upper() for part in value.split(",") if part.strip()} <= set(
                self.allowed.upper().split(",")
            )
        if self.kind in {"Integer", "Numeric"}:
            return self._in_range(value)
        return not self.allowed or re.fullmatch(self.allowed, value) is not None

    def _in_range(self, value: str) -> bool:
        if not re.fullmatch(r"-?\d+(\.\d+)?", value) or (self.kind == "Integer" and "." in value):
            return False
        low, high = re.fullmatch(r"(-?[\d.]+)-(-?[\d.]+)", self.allowed).groups()  # type: ignore[union-attr]
        return float(low) <= float(value) <= float(high)


_SWITCH = "ON,OFF"
_MODES = (
    "ALLOW_INVALID_DATES,ANSI_QUOTES,ERROR_FOR_DIVISION_BY_ZERO,HIGH_NOT_PRECEDENCE,IGNORE_SPACE,"
    "NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES,NO_DIR_IN_CREATE,NO_ENGINE_SUBSTITUTION,NO_UNSIGNED_SUBTRACTION,"
    "NO_ZERO_DATE,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY,PAD_CHAR_TO_FULL_LENGTH,PIPES_AS_CONCAT,REAL_AS_FLOAT,"
    "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,TIME_TRUNCATE_FRACTIONAL"
)
_MODE = (
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES"
)

_FIXED = [
    Parameter("audit_log_enabled", "OFF", _SWITCH, "Allow to audit the log."),
    Parameter("binlog_expire_logs_seconds", "0", "0-4294967295", "Sets the binary log expiration period.", "Integer"),
    Parameter(
        "character_set_server",
        "utf8mb4",
        "[a-z0-9]+",
        "Use charset_name as the default server character set.",
        "String",
    ),
    Parameter("collation_server", "utf8mb4_0900_ai_ci", "[a-z0-9_]+", "The server's default collation.", "String"),
    Parameter("connect_timeout", "10", "2-31536000", "Seconds that the server waits for a connect packet.", "Integer"),
    Parameter("event_scheduler", "OFF", _SWITCH, "Indicates the status of the Event Scheduler."),
    Parameter(
        "explicit_defaults_for_timestamp", "ON", _SWITCH, "Whether TIMESTAMP columns have nonstandard behaviours."
    ),
    Parameter("group_concat_max_len", "1024", "4-16777216", "Longest result of GROUP_CONCAT(), in bytes.", "Integer"),
    Parameter("init_connect", "", "", "Statements that are executed for each client that connects.", "String"),
    Parameter(
        "innodb_file_per_table",
        "ON",
        _SWITCH,
        "Whether each InnoDB table has a file of its own.",
        page="innodb-parameters",
    ),
    Parameter(
        "innodb_lock_wait_timeout",
        "50",
        "1-3600",
        "Seconds that a transaction waits for a row lock.",
        "Integer",
        page="innodb-parameters",
    ),
    Parameter(
        "innodb_strict_mode",
        "ON",
        _SWITCH,
        "Whether InnoDB returns errors rather than warnings.",
        page="innodb-parameters",
    ),
    Parameter(
        "interactive_timeout",
        "1800",
        "10-31536000",
        "Idle seconds after which an interactive connection is closed.",
        "Integer",
    ),
    Parameter("local_infile", "OFF", _SWITCH, "Whether LOCAL is supported for LOAD DATA INFILE."),
    Parameter(
        "log_bin_trust_function_creators",
        "OFF",
        _SWITCH,
        "Whether creators of stored functions are trusted.",
        page="replication-options-binary-log",
    ),
    Parameter("long_query_time", "10", "0-31536000", "Seconds from which on a query is slow.", "Numeric"),
    Parameter(
        "lower_case_table_names", "1", "1,2", "How table names are stored and compared.", dynamic=False, read_only=True
    ),
    Parameter(
        "max_allowed_packet", "16777216", "1024-1073741824", "Longest packet or generated string, in bytes.", "Integer"
    ),
    Parameter(
        "max_connect_errors",
        "100",
        "1-18446744073709551615",
        "Failed attempts after which a host is blocked.",
        "Integer",
    ),
    Parameter(
        "performance_schema",
        "ON",
        _SWITCH,
        "Whether the Performance Schema is enabled.",
        dynamic=False,
        page="performance-schema-system-variables",
    ),
    Parameter("require_secure_transport", "ON", _SWITCH, "Whether client connections must use secure transport."),
    Parameter("slow_query_log", "OFF", _SWITCH, "Whether the slow query log is written."),
    Parameter(
        "sql_generate_invisible_primary_key",
        "ON",
        _SWITCH,
        "Whether tables that are created without a primary key get an invisible one.",
        since="8.0.21",
    ),
    Parameter("sql_mode", _MODE, _MODES, "The server's SQL mode.", "Set"),
    Parameter(
        "time_zone", "SYSTEM", r"SYSTEM|[+-]\d\d:\d\d|[A-Za-z_]+/[A-Za-z_]+", "The server's time zone.", "String"
    ),
    Parameter(
        "tls_version",
        "TLSv1.2,TLSv1.3",
        "TLSv1.2,TLSv1.3",
        "Protocols that the server permits for encrypted connections.",
        "Set",
        dynamic=False,
    ),
    Parameter(
        "transaction_isolation",
        "REPEATABLE-READ",
        "READ-UNCOMMITTED,READ-COMMITTED,REPEATABLE-READ,SERIALIZABLE",
        "The default transaction isolation level.",
    ),
    Parameter("wait_timeout", "28800", "1-31536000", "Idle seconds after which a connection is closed.", "Integer"),
]


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def parameters(version: str, memory_gib: float) -> dict[str, Parameter]:
    """All parameters of a server of this version and size, by name."""
    sized = [
        Parameter(
            "max_connections",
            str(round(memory_gib * 256 / 3)),
            f"10-{round(memory_gib * 512 / 3)}",
            "The maximum permitted number of simultaneous client connections.",
            "Integer",
        ),
        Parameter(
            "innodb_buffer_pool_size",
            str(int(memory_gib * 0.5 * 2**30)),
            f"{128 * 2**20}-{int(memory_gib * 0.75 * 2**30)}",
            "Size in bytes of the memory in which InnoDB caches table and index data.",
            "Integer",
            page="innodb-parameters",
        ),
    ]
    usable = [p for p in _FIXED + sized if _release(p.since) <= _release(version)]
    return {p.name: p for p in sorted(usable, key=lambda p: p.name)}


def describe(parameter: Parameter, version: str, override: dict[str, str] | None) -> dict[str, str]:
    """Return the properties that Azure shows. `override` has what was set, and what is in force already."""
    release = ".".join(version.split(".")[:2])
    value = override["value"] if override else parameter.default
    current = override["current"] if override else parameter.default
    return {
        "value": value,
        "currentValue": current,
        "description": parameter.description,
        "defaultValue": parameter.default,
        "dataType": parameter.kind,
        "allowedValues": parameter.allowed,
        "source": override["source"] if override else "system-default",
        "isConfigPendingRestart": str(value != current),
        "isDynamicConfig": str(parameter.dynamic),
        "isReadOnly": str(parameter.read_only),
        "documentationLink": DOCUMENTATION.format(release=release, page=parameter.page, name=parameter.name),
    }
