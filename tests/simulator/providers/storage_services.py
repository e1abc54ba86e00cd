# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account's services (blob, file, queue, table). They come with the account, and each is called "default"."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ..arm import Answer, Request, ResourceId
from .documents import merged, properties, without_nulls
from .storage_accounts import ACCOUNTS, AccountPart, account_of


class Services(AccountPart):
    def facts(self) -> dict[str, Any]:
        return {"cors": {"corsRules": []}}

    def check(self, asked: dict[str, Any], account: dict[str, Any]) -> None:
        """Refuse what the account cannot do."""

    def complete(self, request: Request, own: dict[str, Any]) -> None:
        """Add what Azure adds to what was asked for."""

    def read_shape(self, own: dict[str, Any], account: dict[str, Any]) -> None:
        """Change what a read shows otherwise than the answer to a write."""

    def load(self, request: Request, rid: ResourceId) -> dict[str, Any] | None:
        if rid.name.lower() != "default":
            return None
        stored = request.simulator.store.get(rid)
        if stored is None and ACCOUNTS.load(request, rid.parent()) is not None:
            stored = {"id": str(rid), "name": "default", "type": self.type, "properties": self.facts()}
        return stored

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        account = account_of(request, rid)
        current = current or self.load(request, rid) or {}
        asked = without_nulls(properties(request.body))
        self.check(asked, account)
        self.complete(request, asked)
        current["properties"] = merged(current["properties"], asked)
        request.simulator.store.put(rid, current)
        body = {key: current[key] for key in ("id", "name", "type")}
        return Answer(200, {**body, "properties": asked})

    def read(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        return Answer(200, self._shown(request, current, account_of(request, rid)))

    def _shown(self, request: Request, current: dict[str, Any], account: dict[str, Any]) -> dict[str, Any]:
        own = deepcopy(current["properties"])
        self.complete(request, own)
        self.read_shape(own, account)
        body = {key: current[key] for key in ("id", "name", "type")}
        return {"sku": dict(account["sku"]), **body, "properties": own}

    def collection(self, request: Request, rid_parent: ResourceId, items: list[dict[str, Any]]) -> Answer:
        del items
        account = account_of(request, rid_parent)
        kind = self.type.split("/")[-1]
        current = self.load(request, rid_parent.child(kind, "default"))
        return Answer(200, {"value": [self._shown(request, current or {}, account)]})
