# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfig files: one context is put in or taken out, and everything else stays as it is.

What a file holds is secret: no message quotes from it.
"""

from __future__ import annotations

import copy
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ..errors import MatchaError
from ..files import write_atomically

Document = dict[str, Any]

MODE = 0o600
# A section, and what an entry of it is called.
SECTIONS = {"clusters": "cluster", "contexts": "context", "users": "user"}
# A new way to trust a server, or to sign in, takes the place of every other one.
TRUST = ("certificate-authority", "certificate-authority-data", "insecure-skip-tls-verify")
CREDENTIALS = {
    "client-certificate-data": "certificate",
    "client-certificate": "certificate",
    "client-key": "certificate",
    "client-key-data": "certificate",
    "exec": "exec",
    "auth-provider": "auth-provider",
    "token": "token",
    "tokenFile": "token",
    "username": "password",
    "password": "password",
}


@dataclass(frozen=True)
class Access:
    """How a cluster is reached: the entries of a kubeconfig for it, and the names that Azure gives them."""

    cluster_name: str
    user_name: str
    cluster: Document
    user: Document

    @property
    def owner(self) -> str:
        """Return what names the cluster in a user's name, whichever user it is: ``clusterUser_GROUP_NAME``."""
        return re.sub(r"^cluster[A-Z][A-Za-z]*_", "", self.user_name)


class Kubeconfig:
    """A kubeconfig file. Changes are made in memory, and `save` writes them."""

    def __init__(self, path: Path) -> None:
        """Read the file, if it is there. Raises ``MatchaError`` where it is something else."""
        # A link to it stays a link.
        self.path = path.resolve()
        self.mode = stat.S_IMODE(self.path.stat().st_mode) if self.path.exists() else 0
        self.document = _read(self.path) if self.mode else {}
        self.found = copy.deepcopy(self.document)

    @property
    def changed(self) -> bool:
        """Return whether there is something to write."""
        return self.document != self.found or (bool(self.mode) and self.mode != MODE)

    def get(self, section: str, name: Any) -> Document | None:
        """Return an entry of a section."""
        return next((each.get(SECTIONS[section]) or {} for each in self._entries(section, name)), None)

    def put(self, context: str, access: Access, current: bool) -> None:
        """Make a context for a cluster. What other contexts use is not touched; our entries then have other names."""
        there = self.get("contexts", context) or {}
        self._check_owner(context, there, access)
        cluster = self._name_for("clusters", access.cluster_name, context, there)
        user = self._name_for("users", access.user_name, context, there)
        self._set("clusters", cluster, {**_without(self.get("clusters", cluster), TRUST), **access.cluster})
        self._set("users", user, {**_without(self.get("users", user), CREDENTIALS), **access.user})
        self._set("contexts", context, {**there, "cluster": cluster, "user": user})
        # Another user of the same cluster, such as its administrator, came before: a secret that nobody uses.
        if there.get("user") != user:
            self._drop_unused("users", there.get("user"))
        if current:
            self.document["current-context"] = context
        for key, value in (("apiVersion", "v1"), ("kind", "Config"), ("current-context", "")):
            self.document.setdefault(key, value)

    def remove(self, context: str) -> None:
        """Remove a context, and its cluster and user where no other context uses them."""
        there = self.get("contexts", context)
        if there is None:
            return
        self._drop("contexts", context)
        self._drop_unused("clusters", there.get("cluster"))
        self._drop_unused("users", there.get("user"))
        if self.document.get("current-context") == context:
            self.document["current-context"] = ""

    def save(self) -> None:
        """Write the file whole, for its owner alone, into a folder that is there. Raises ``OSError``."""
        import yaml

        owner = self.path.stat() if self.mode else None
        write_atomically(
            self.path, yaml.dump(self.document, Dumper=_dumper(), sort_keys=False, allow_unicode=True), MODE
        )
        if owner and owner.st_uid != os.geteuid():
            os.chown(self.path, owner.st_uid, owner.st_gid)

    def entries(self, context: str) -> list[Document]:
        """Return copies of a context, of its cluster, and of its user; nothing if there is no such context."""
        there = self.get("contexts", context)
        if there is None:
            return []
        found = [there, self.get("clusters", there.get("cluster")) or {}, self.get("users", there.get("user")) or {}]
        return copy.deepcopy(found)

    # Entries

    def _entries(self, section: str, name: Any) -> Iterator[Document]:
        return (each for each in self.document.get(section) or () if each.get("name") == name)

    def _set(self, section: str, name: str, value: Document) -> None:
        entry = next(self._entries(section, name), None)
        if entry is None:
            entry = {"name": name}
            self.document[section] = [*(self.document.get(section) or ()), entry]
        entry[SECTIONS[section]] = copy.deepcopy(value)

    def _drop(self, section: str, name: Any) -> None:
        self.document[section] = [each for each in self.document.get(section) or () if each.get("name") != name]

    def _drop_unused(self, section: str, name: Any) -> None:
        if name is not None and not self._users_of(section, name):
            self._drop(section, name)

    def _users_of(self, section: str, name: Any) -> list[Any]:
        """Return the contexts that use a cluster or a user."""
        contexts = self.document.get("contexts") or ()
        return [each.get("name") for each in contexts if (each.get("context") or {}).get(SECTIONS[section]) == name]

    def _name_for(self, section: str, name: str, context: str, there: Document) -> str:
        """Return a name that no other context uses: what it is already, Azure's own, or one with the context in it."""

        def free(candidate: str) -> bool:
            return not set(self._users_of(section, candidate)) - {context}

        names = (name, *(f"{name}-{context}{suffix}" for suffix in ("", "-2", "-3")))
        present = there.get(SECTIONS[section])
        if present in names and free(present):
            return str(present)
        more = (f"{name}-{context}-{number}" for number in count(4))
        return next(each for candidates in (names, more) for each in candidates if free(each))

    def _check_owner(self, context: str, there: Document, access: Access) -> None:
        """Refuse to take over a context of another cluster. One that was deleted and made again has another server."""
        if not there:
            return
        server = (self.get("clusters", there.get("cluster")) or {}).get("server")
        ours = re.match(rf"cluster[A-Z][A-Za-z]*_{re.escape(access.owner)}(-|$)", str(there.get("user")))
        if server != access.cluster.get("server") and not ours:
            raise MatchaError(
                f"{self.path} has a context '{context}' of another cluster ({server or 'without a server'}): set "
                f"context to another name, or remove that one first with state=absent."
            )


def kubeconfig_path(told: str | None) -> Path:
    """Return the file that is meant: what the task says, else the first of KUBECONFIG, else kubectl's own."""
    listed = [each for each in os.environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    return Path(told or (listed[0] if listed else "~/.kube/config")).expanduser()


def shown(entries: list[Document]) -> Document:
    """Return what may be shown of a context: names, the server, and the kind of its credential."""
    if not entries:
        return {}
    context, cluster, user = entries
    return {**context, "server": cluster.get("server"), "credential": credential_kind(user)}


def credential_kind(user: Mapping[str, Any]) -> str:
    """Return how a user signs in, without any of it."""
    kind = next((kind for key, kind in CREDENTIALS.items() if user.get(key)), "none")
    if kind != "exec":
        return kind
    command = Path(str(user["exec"].get("command") or "")).name
    arguments = user["exec"].get("args") or []
    method = next((str(after) for each, after in zip(arguments, arguments[1:]) if each in ("--login", "-l")), "")
    return f"{command} {method}".strip()


def parse(text: str, what: str) -> Document:
    """Return a kubeconfig's content. Raises ``MatchaError`` where it is none; no part of it is quoted."""
    yaml = _yaml()
    try:
        found = yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise _malformed(
            what, f"it is not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}{line}"
        ) from None
    found = {} if found is None else found
    if not isinstance(found, dict):
        raise _malformed(what, "it has no keys at its top")
    if found.get("kind", "Config") != "Config":
        raise _malformed(what, "its kind is not Config")
    for section, name in SECTIONS.items():
        entries = found.get(section) or []
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise _malformed(what, f"{section} is not a list of entries")
        if not all(isinstance(each.get(name) or {}, dict) for each in entries):
            raise _malformed(what, f"a {name} in {section} has no keys")
    return found


def _read(path: Path) -> Document:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _malformed(str(path), "it is not text in UTF-8") from None
    return parse(text, str(path))


def _malformed(what: str, why: str) -> MatchaError:
    return MatchaError(f"{what} is no kubeconfig, and was left alone: {why}. Mend it, move it away, or set path.")


def _without(entry: Mapping[str, Any] | None, names: Any) -> Document:
    return {key: value for key, value in (entry or {}).items() if key not in names}


# YAML as kubectl reads it, so that what is not ours is written as it was


def _yaml() -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MatchaError("PyYAML is missing: install it for the Python that runs this module.") from error
    return yaml


def _resolvers(base: Any) -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """Numbers as JSON has them, and no dates: ``12:30`` and ``2026-01-01`` are texts to kubectl."""
    mine = {
        "int": (re.compile(r"[-+]?(?:0|[1-9][0-9]*)$"), "-+0123456789"),
        "float": (re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+][0-9]+)?$"), "-+0123456789"),
    }
    tags = {f"tag:yaml.org,2002:{name}": rule for name, rule in mine.items()}
    left_out = {*tags, "tag:yaml.org,2002:timestamp"}
    found = {
        first: [rule for rule in rules if rule[0] not in left_out]
        for first, rules in base.yaml_implicit_resolvers.items()
    }
    for tag, (pattern, firsts) in tags.items():
        for first in firsts:
            found.setdefault(first, []).append((tag, pattern))
    return found


def _loader() -> Any:
    yaml = _yaml()
    return type("Loader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": _resolvers(yaml.SafeLoader)})


def _dumper() -> Any:
    # The usual resolvers: they quote every text that any reader might take for something else.
    return _yaml().SafeDumper
