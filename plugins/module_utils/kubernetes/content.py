# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets and ConfigMaps whose values are read from files, so that they are in no argument and no log."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import MatchaError
from ..rest import HIDDEN, SecretFileError, read_secret
from .model import Object, Wanted, check, encoded, mark_templates, with_labels

# An address with a password in it.
USERINFO = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


def spec() -> dict[str, Any]:
    """Return the options for one such object."""
    return {
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "labels": {"type": "dict", "default": {}},
        # Names and paths: neither is a secret.
        "files": {"type": "dict", "required": True, "no_log": False},
    }


def wanted_of(params: Mapping[str, Any], check_mode: bool) -> list[Wanted]:
    """Return all that a task wants: its objects, its Secrets and its ConfigMaps, with its labels."""
    labels = params.get("labels") or {}
    found = [Wanted(check(each)) for each in params["objects"]]
    found += [_secret(each, check_mode) for each in params["secrets"]]
    found += [_config_map(each) for each in params["config_maps"]]
    for each in found:
        with_labels(each.object, labels)
    mark_templates(found)
    return found


def _metadata(told: Mapping[str, Any]) -> Object:
    metadata = {"name": told["name"], "namespace": told["namespace"]}
    return {**metadata, "labels": dict(told["labels"])} if told["labels"] else metadata


def _secret(told: Mapping[str, Any], check_mode: bool) -> Wanted:
    """Return a Secret. In check mode a file may be missing, because whatever makes it has not run."""
    item = {"apiVersion": "v1", "kind": "Secret", "metadata": _metadata(told), "type": "Opaque"}
    where = f"Secret {told['namespace']}/{told['name']}"
    try:
        values = {key: read_secret(str(path), f"'{key}' of the {where}") for key, path in told["files"].items()}
    except SecretFileError:
        if not check_mode:
            raise
        return Wanted({**item, "data": dict.fromkeys(told["files"], HIDDEN)}, unknown=True)
    return Wanted({**item, "data": {key: encoded(value) for key, value in values.items()}})


def _config_map(told: Mapping[str, Any]) -> Wanted:
    """Return a ConfigMap; what is no text goes into its binary data."""
    item: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(told)}
    for key, path in told["files"].items():
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            where = f"ConfigMap {told['namespace']}/{told['name']}"
            raise MatchaError(
                f"The file for '{key}' of the {where} cannot be read: {path}: {error.strerror}."
            ) from error
        try:
            item.setdefault("data", {})[key] = content.decode()
        except UnicodeDecodeError:
            item.setdefault("binaryData", {})[key] = base64.b64encode(content).decode()
    return Wanted(item)


def values_of(wanted: Iterable[Wanted]) -> set[str]:
    """Return every value of the Secrets, to hide them where a pod's log shows them."""
    found: set[str] = set()
    for each in wanted:
        if each.object["kind"] == "Secret" and not each.unknown:
            for value in (each.object.get("data") or {}).values():
                found |= {value, base64.b64decode(value).decode("utf-8", "replace")}
    return {each for each in found if len(each) > 3}


def redacted(text: str, values: Iterable[str]) -> str:
    """Return a text without these values, and without passwords in addresses."""
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return USERINFO.sub(rf"\1{HIDDEN}@", text)
