# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers, and the errors that become answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

GATEWAY = {"x-ms-failure-cause": "gateway"}


@dataclass
class Answer:
    """What goes back. A body of bytes is sent as it is, None as nothing, everything else as JSON."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class AzureError(Exception):
    """An error answer. `wrapped=False` leaves out the outer {"error": …}, as AKS does."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        wrapped: bool = True,
        headers: dict[str, str] | None = None,
        details: list[dict[str, Any]] | None = None,
        target: str | None = None,
        **more: Any,
    ) -> None:
        """`more` are further keys of the error, such as AKS's subcode; None leaves a key out."""
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.wrapped, self.headers, self.details, self.target = wrapped, headers or {}, details, target
        self.more = more

    def content(self) -> dict[str, Any]:
        found = {
            "code": self.code,
            "message": self.message,
            "target": self.target,
            "details": self.details,
            **self.more,
        }
        return {key: value for key, value in found.items() if value is not None}

    def answer(self) -> Answer:
        content = self.content()
        return Answer(self.status, {"error": content} if self.wrapped else content, dict(self.headers))


class DropConnectionError(Exception):
    """The client gets no answer: its connection is closed."""
