# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure says when it refuses, as one sentence of ours, whatever shape it has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.mgmt.core.exceptions import ARMErrorFormat

from ansible_collections.matcha.mlops.plugins.module_utils.azure.errors import ADVICE, AzureError, translate

CORRELATION = "0d2f9c36-8f5f-4a6e-9f6f-5d7f3b1c2a10"


class Response:
    """As much of an answer as the SDK's errors look at."""

    reason = "Bad Request"
    content_type = "application/json"

    def __init__(self, status: int, body: Any, headers: dict[str, str]) -> None:
        self.status_code = status
        self.headers = headers
        self._text = body if isinstance(body, str) else json.dumps(body)

    def text(self, _encoding: str | None = None) -> str:
        return self._text

    def body(self) -> bytes:
        return self._text.encode()


def refused(body: Any, status: int = 400, **headers: str) -> AzureError:
    """Return what a refusal is to us."""
    response = Response(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
    sdk = HttpResponseError(response=response, error_format=ARMErrorFormat)
    return translate("The AKS cluster 'pot'", sdk)


REASON = {"code": "Unspecified", "message": "Etag mismatched."}
DEEP = {"code": "Outer", "message": "", "details": [REASON]}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"error": {"code": "A", "message": "It is so."}}, "The AKS cluster 'pot': It is so (A)."),
        ({"code": "B", "message": "It is so", "subcode": "x"}, "The AKS cluster 'pot': It is so (B)."),
        # As an operation tells why it failed.
        ({"status": "Failed", "error": {"code": "C", "message": "no"}}, "The AKS cluster 'pot': no (C)."),
        (
            {"error": {"code": "D", "message": "No.", "details": [REASON]}},
            "The AKS cluster 'pot': No; Unspecified: Etag mismatched (D).",
        ),
        (
            {"error": {"code": "E", "message": "No", "details": [DEEP]}},
            "The AKS cluster 'pot': No; Unspecified: Etag mismatched (E).",
        ),
        # Key vaults.
        (
            {"error": {"code": "Forbidden", "message": "no", "innererror": {"code": "ForbiddenByPolicy"}}},
            f"The AKS cluster 'pot': no (ForbiddenByPolicy). {ADVICE['ForbiddenByPolicy']}",
        ),
        # Storage.
        (
            {"error": {"code": "F", "message": "No.\nRequestId:7e1f-11\nTime:2026-10-19T09:44:02.68Z"}},
            "The AKS cluster 'pot': No (F).",
        ),
        ({"error": {"code": "G", "message": None}}, "The AKS cluster 'pot': Bad Request (G)."),
        ("<html><h1>502 Bad Gateway</h1></html>", "The AKS cluster 'pot': Bad Request (HTTP 400)."),
        ("", "The AKS cluster 'pot': Bad Request (HTTP 400)."),
        ("null", "The AKS cluster 'pot': Bad Request (HTTP 400)."),
        ({"error": "invalid_client"}, "The AKS cluster 'pot': Bad Request (HTTP 400)."),
        ([1], "The AKS cluster 'pot': Bad Request (HTTP 400)."),
    ],
)
def test_bodies(body: Any, sentence: str) -> None:
    assert str(refused(body)) == sentence


def test_a_code_that_only_the_headers_have() -> None:
    assert refused("", 404, x_ms_error_code="ContainerNotFound").code == "ContainerNotFound"


def test_what_is_known_of_a_refusal() -> None:
    body = {"error": {"code": "QuotaExceeded", "message": "Too many vCPUs."}}
    headers = {"x_ms_correlation_request_id": CORRELATION, "x_ms_request_id": "another"}
    error = refused(body, 409, **headers)
    assert f"Too many vCPUs (QuotaExceeded, correlation id {CORRELATION}). Ask for more quota" in str(error)
    assert error.details == {
        "failure": {
            "code": "QuotaExceeded",
            "message": "Too many vCPUs",
            "status": 409,
            "correlation_id": CORRELATION,
        }
    }
    assert refused(body, 409, x_ms_request_id="another").correlation_id == "another"


@pytest.mark.parametrize("code", sorted(ADVICE))
def test_advice(code: str) -> None:
    text = str(refused({"error": {"code": code, "message": "no"}}))
    assert text.endswith(f"({code}). {ADVICE[code]}")
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("status", "code", "message", "busy"),
    [
        (409, "EtagMismatch", "", True),
        (409, "AnotherOperationInProgress", "", True),
        (412, "PreconditionFailed", "", True),
        (429, "SubscriptionRequestsThrottled", "", True),
        (429, "", "", True),
        (500, "GetVnetError", "", True),
        (502, "", "", True),
        (503, "ServiceUnavailable", "", True),
        (504, "GatewayTimeout", "", True),
        (409, "OperationNotAllowed", "The operation is not allowed while the cluster is being upgraded.", True),
        (409, "OperationNotAllowed", "Operation could not be completed as it exceeds the quota.", False),
        (409, "Conflict", "Another operation is in progress.", True),
        (409, "Conflict", "A vault of this name is there.", False),
        (400, "InvalidParameter", "", False),
        (403, "AuthorizationFailed", "", False),
        (404, "", "", False),
        (409, "StorageAccountAlreadyTaken", "", False),
        # An operation that failed is answered with 200.
        (200, "InternalOperationError", "", False),
    ],
)
def test_what_passes_by_itself(status: int, code: str, message: str, busy: bool) -> None:
    body = {"error": {"code": code, "message": message}} if code else ""
    assert refused(body, status).busy is busy


def test_a_refusal_of_our_own_does_not_pass() -> None:
    assert not AzureError("The pool 'tea'", "vm_size cannot be changed", "Immutable").busy


def test_an_existing_thing_is_told_by_its_code() -> None:
    response = Response(409, {"error": {"code": "RoleAssignmentExists", "message": "There is one."}}, {})
    error = translate("x", ResourceExistsError(response=response, error_format=ARMErrorFormat))
    assert (error.code, error.status) == ("RoleAssignmentExists", 409)


@pytest.mark.parametrize("kind", [ServiceRequestError, ServiceResponseError])
def test_no_answer(kind: type[Exception]) -> None:
    error = translate("Looking", kind("Connection reset.\nMore that nobody needs"))
    assert str(error) == "Looking: Azure could not be reached: Connection reset."
    assert (error.busy, error.status, error.code) == (True, 0, "")


def test_signing_in() -> None:
    error = translate("Looking", ClientAuthenticationError("AADSTS7000215: Invalid client secret.\nTo mitigate…"))
    assert str(error) == (
        "Looking: signing in to Azure failed: AADSTS7000215: Invalid client secret (SignInFailed). "
        f"{ADVICE['SignInFailed']}"
    )
    assert not error.busy
    response = Response(401, {"error": "invalid_request", "error_description": "AADSTS700213"}, {})
    error = translate("x", ClientAuthenticationError("AADSTS700213: No matching", response=response))
    assert str(error).startswith("x: signing in to Azure failed: AADSTS700213: No matching (SignInFailed)")
    response = Response(401, {"error": {"code": "ExpiredAuthenticationToken", "message": "It expired."}}, {})
    error = translate("x", ClientAuthenticationError(response=response, error_format=ARMErrorFormat))
    assert str(error) == "x: It expired (ExpiredAuthenticationToken)."


def test_nothing_that_was_sent_is_in_a_message() -> None:
    response = Response(400, {"error": {"code": "A", "message": "no"}}, {})
    response.request = type("Request", (), {"body": "sesame", "url": "https://x/?sig=sesame"})()  # type: ignore[attr-defined]
    error = translate("What", HttpResponseError(response=response, error_format=ARMErrorFormat))
    assert "sesame" not in str(error) + repr(error.details)
