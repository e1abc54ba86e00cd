# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource ids: compared without regard to case, shown as the caller wrote them."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import unquote


class ResourceId:
    """The id of a subscription, a resource group, a resource, or a resource upon another one (an extension).

    `types` and `names` belong to the last `/providers/` part of the id; what comes before it is the `scope`.
    A group's `types` and `names` are empty, and so are a subscription's.
    """

    def __init__(self, text: str) -> None:
        self.segments = tuple(unquote(part) for part in text.strip("/").split("/") if part)
        lower = [part.lower() for part in self.segments]
        self.subscription = self.segments[1] if len(lower) > 1 and lower[0] == "subscriptions" else ""
        self.group = self.segments[3] if len(lower) > 3 and lower[2] == "resourcegroups" else ""
        at = len(lower) - 1 - lower[::-1].index("providers") if "providers" in lower else len(lower)
        self._providers = at
        rest = self.segments[at + 2 :]
        self.provider = self.segments[at + 1] if at + 1 < len(lower) else ""
        self.types = rest[0::2]
        self.names = rest[1::2]

    def __str__(self) -> str:
        return "/" + "/".join(self.segments)

    def __repr__(self) -> str:
        return f"ResourceId({str(self)!r})"

    @cached_property
    def key(self) -> str:
        """What the store files it under."""
        return str(self).lower()

    def __eq__(self, other: object) -> bool:
        return self.key == (other.key if isinstance(other, ResourceId) else str(other).lower())

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def type(self) -> str:
        return "/".join((self.provider, *self.types)) if self.provider else "Microsoft.Resources/resourceGroups"

    @property
    def name(self) -> str:
        """The last name: the resource's, the group's or the subscription's."""
        return self.names[-1] if self.names else (self.group or self.subscription)

    @property
    def scope(self) -> ResourceId:
        """What the outermost type of this id hangs on: a subscription, a group, or for an extension a resource."""
        return ResourceId("/".join(self.segments[: self._providers]))

    @property
    def group_id(self) -> ResourceId:
        return ResourceId("/".join(self.segments[:4]))

    @property
    def subscription_id(self) -> ResourceId:
        return ResourceId("/".join(self.segments[:2]))

    def parent(self) -> ResourceId | None:
        """Get the resource that this one is a child of; None for a resource that is not nested."""
        return ResourceId("/".join(self.segments[:-2])) if len(self.types) > 1 else None

    def child(self, kind: str, name: str) -> ResourceId:
        """Name a child; a `kind` that names a provider (Microsoft.X/things) makes a resource of that provider."""
        return ResourceId(f"{self}/providers/{kind}/{name}" if "." in kind else f"{self}/{kind}/{name}")

    def within(self, scope: ResourceId | str) -> bool:
        """Whether this id is `scope` or lies below it."""
        above = scope.key if isinstance(scope, ResourceId) else "/" + scope.strip("/").lower()
        return above in {"/", self.key} or self.key.startswith(above + "/")


def resource_id(value: Any) -> ResourceId:
    return value if isinstance(value, ResourceId) else ResourceId(str(value))
