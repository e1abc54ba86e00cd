# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the bodies of requests against Azure's own type definitions, where they are beside the repository."""

from __future__ import annotations

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TYPES = ROOT.parent / "shared" / "azure" / "types"

REQUIRED, READ_ONLY = 1, 2
# Values that are newer than the types: MySQL 8.4 is in Azure's documentation.
NEWER = {".properties.version": ["8.4"]}
# What the path or the query of a request says.
ELSEWHERE = {"id", "name", "type", "apiVersion"}


class TypeFile:
    """The types of one provider."""

    def __init__(self, path: Path) -> None:
        self._types: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the body's type of each resource type, by its name in lower case."""
        return {
            each["name"].partition("@")[0].lower(): self.at(each["body"])
            for each in self._types
            if each["$type"] == "ResourceType"
        }

    def at(self, reference: dict[str, str]) -> dict[str, Any]:
        return self._types[int(reference["$ref"].removeprefix("#/"))]


class Checker:
    """All types that are there."""

    def __init__(self) -> None:
        self._files = [TypeFile(path) for path in sorted(TYPES.glob("*.json"))]

    def problems(self, method: str, path: str, body: Any) -> tuple[list[str], list[str]] | None:
        """Return what is wrong with a request's body, and what is sent in vain; None for a type nobody knows."""
        kind = type_of(path)
        for file in self._files:
            if kind in file.resources:
                found = Problems(file, whole=method == "PUT")
                found.check(file.resources[kind], body, "")
                return found.errors, found.warnings
        return None


def type_of(path: str) -> str:
    """Return the resource type that a path names, in lower case."""
    namespace, _slash, rest = path.partition("?")[0].rpartition("/providers/")[2].partition("/")
    return "/".join([namespace, *rest.split("/")[0::2]]).lower()


class Problems:
    """What was found in one body."""

    def __init__(self, file: TypeFile, whole: bool) -> None:
        self.file, self.whole = file, whole
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def check(self, kind: dict[str, Any], value: Any, where: str) -> None:
        check = getattr(self, f"_{kind['$type']}", None)
        if check and value is not None:
            check(kind, value, where)

    def _wrong(self, where: str, what: str) -> None:
        self.errors.append(f"{where or 'body'}: {what}")

    def _ObjectType(self, kind: dict[str, Any], value: Any, where: str) -> None:  # noqa: N802
        if not isinstance(value, dict):
            return self._wrong(where, f"{value!r} is no object")
        properties = kind.get("properties") or {}
        if self.whole:
            for name, each in properties.items():
                if each["flags"] & REQUIRED and name not in value and (where or name not in ELSEWHERE):
                    self._wrong(f"{where}.{name}", "is missing")
        for name, each in value.items():
            self._property(kind, name, each, f"{where}.{name}")
        return None

    def _property(self, kind: dict[str, Any], name: str, value: Any, where: str) -> None:
        known = (kind.get("properties") or {}).get(name)
        if known is None:
            if "additionalProperties" not in kind:
                return self._wrong(where, "is unknown")
            return self.check(self.file.at(kind["additionalProperties"]), value, where)
        if known["flags"] & READ_ONLY and where.lstrip(".") not in ELSEWHERE:
            self.warnings.append(f"{where}: is read-only")
        return self.check(self.file.at(known["type"]), value, where)

    def _DiscriminatedObjectType(self, kind: dict[str, Any], value: Any, where: str) -> None:  # noqa: N802
        chosen = kind["elements"].get(value.get(kind["discriminator"]))
        if chosen is None:
            return self._wrong(where, f"has no {kind['discriminator']} of {sorted(kind['elements'])}")
        both = {**kind["baseProperties"], **(self.file.at(chosen).get("properties") or {})}
        return self._ObjectType({"properties": both}, value, where)

    def _ArrayType(self, kind: dict[str, Any], value: Any, where: str) -> None:  # noqa: N802
        if not isinstance(value, list):
            return self._wrong(where, f"{value!r} is no list")
        for number, each in enumerate(value):
            self.check(self.file.at(kind["itemType"]), each, f"{where}[{number}]")
        return None

    def _UnionType(self, kind: dict[str, Any], value: Any, where: str) -> None:  # noqa: N802
        elements = [self.file.at(each) for each in kind["elements"]]
        literals = [each["value"] for each in elements if each["$type"] == "StringLiteralType"]
        # An enumeration that is open to newer values is closed here: we send none that Azure did not name.
        allowed = {each.lower() for each in [*literals, *NEWER.get(where, ())]}
        if literals and str(value).lower() not in allowed:
            self._wrong(where, f"{value!r} is none of {literals}")

    def _StringLiteralType(self, kind: dict[str, Any], value: Any, where: str) -> None:  # noqa: N802
        if value != kind["value"]:
            self._wrong(where, f"{value!r} is not {kind['value']!r}")

    def _StringType(self, kind: dict[str, Any], value: Any, where: str) -> None:  # noqa: N802
        if not isinstance(value, str):
            self._wrong(where, f"{value!r} is no text")
        elif not kind.get("minLength", 0) <= len(value) <= kind.get("maxLength", len(value)):
            self._wrong(where, f"{value!r} is too short or too long")
        elif kind.get("pattern") and not re.search(kind["pattern"], value):
            self._wrong(where, f"{value!r} does not match {kind['pattern']}")

    def _IntegerType(self, kind: dict[str, Any], value: Any, where: str) -> None:  # noqa: N802
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._wrong(where, f"{value!r} is no number")
        elif not kind.get("minValue", value) <= value <= kind.get("maxValue", value):
            self._wrong(where, f"{value!r} is out of range")

    def _BooleanType(self, _kind: dict[str, Any], value: Any, where: str) -> None:  # noqa: N802
        if not isinstance(value, bool):
            self._wrong(where, f"{value!r} is no truth value")
