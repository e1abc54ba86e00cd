# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, one function for each kind. Its docstring says where it was seen.

A recording is named by its project and its name. "Second-hand" means: known from documentation or from what people
report, in no recording that was read; a test that relies on the text or the code should say so as well.

A kind is given the request and the rule's options. It returns an answer, raises an AzureError or drops the connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import GATEWAY, Answer, AzureError, DropConnectionError
from .ids import ResourceId

if TYPE_CHECKING:
    from collections.abc import Callable

    from .arm import Request

    Kind = Callable[[Request, dict[str, Any]], Answer]

SERVICE = {"x-ms-failure-cause": "service"}


def _retry_after(options: dict[str, Any], default: int | None) -> dict[str, str]:
    seconds = options.get("retry_after", default)
    return {} if seconds is None else {"Retry-After": str(seconds)}


def throttled(request: Request, options: dict[str, Any]) -> Answer:
    """429 with Retry-After (option `retry_after`), as Resource Manager throttles a subscription. Second-hand."""
    verb = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(request.method, "writes")
    message = (
        f"Number of '{verb}' requests for subscription '{ResourceId(request.path).subscription}' actor "
        "'00000000-0000-0000-0000-000000000000' exceeded. Please try again after '17' seconds after additional tokens "
        "are available. Refer to https://aka.ms/arm-throttling for additional information."
    )
    headers = {**GATEWAY, **_retry_after(options, 17), f"x-ms-ratelimit-remaining-subscription-{verb}": "0"}
    raise AzureError(429, "SubscriptionRequestsThrottled", message, headers=headers)


def throttled_without_retry_after(request: Request, options: dict[str, Any]) -> Answer:
    """429 without Retry-After on a PUT. azure-cli-extensions/aks-preview/test_aks_create_with_app_routing_enabled_and_nginx_specified_abbrv."""  # noqa: E501
    del options
    inner = (
        '{"error":{"code":"429","message":"Request is temporarily throttled because tenant '
        f'{request.simulator.tenant} has issued too many requests. Retry after 2 seconds."}}}}'
    )
    message = (
        f"Identity operation for resource '{request.path}' failed with error 'Failed to perform resource identity "
        f"operation. Status: '429'. Response: '{inner}'.'."
    )
    raise AzureError(429, "FailedIdentityOperation", message, headers=GATEWAY)


def server_error(request: Request, options: dict[str, Any]) -> Answer:
    """500. Second-hand."""
    del request, options
    message = "The server encountered an internal error. Please retry the request."
    raise AzureError(500, "InternalServerError", message, headers=SERVICE)


def server_error_unwrapped(request: Request, options: dict[str, Any]) -> Answer:
    """500, not wrapped in "error", on a PUT. azure-cli/acs/test_aks_create_nonaad_and_update_with_managed_aad_msi."""
    del options
    rid = ResourceId(request.path)
    message = (
        f"Get virtual network failed. Subscription: {rid.subscription}; resource group: MC_{rid.group}_{rid.name}; "
        "virtual network name: aks-vnet-67045100"
    )
    raise AzureError(500, "GetVnetError", message, wrapped=False, headers=SERVICE)


def bad_gateway(request: Request, options: dict[str, Any]) -> Answer:
    """502 on the poll of an operation, which then went on.

    azure-cli-extensions/aks-preview/test_aks_create_update_vtpm_flow; on other requests than polls it is second-hand.
    """
    del options
    namespace = ResourceId(request.path).provider or "Microsoft.Resources"
    message = f"The network connectivity issue encountered for '{namespace}'; cannot fulfill the request."
    raise AzureError(502, "BadGatewayConnection", message, headers=SERVICE)


def bad_gateway_html(request: Request, options: dict[str, Any]) -> Answer:
    """502 with a page of HTML, from what stands before Resource Manager. Second-hand."""
    del request, options
    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\r\n"
    return Answer(502, page, {"Content-Type": "text/html"})


def unavailable(request: Request, options: dict[str, Any]) -> Answer:
    """503, with Retry-After if the option `retry_after` is given. Second-hand."""
    del request
    message = "The service is unavailable now. Please retry the request later."
    raise AzureError(503, "ServiceUnavailable", message, headers={**SERVICE, **_retry_after(options, None)})


def gateway_timeout(request: Request, options: dict[str, Any]) -> Answer:
    """504. Second-hand."""
    del options
    namespace = ResourceId(request.path).provider or "Microsoft.Resources"
    message = f"The gateway did not receive a response from '{namespace}' within the specified time period."
    raise AzureError(504, "GatewayTimeout", message, headers=GATEWAY)


def etag_mismatch(request: Request, options: dict[str, Any]) -> Answer:
    """409 on a DELETE of a cluster that is being changed. azure-service-operator/Test_AKS_Fleet_20230315_CRUD."""
    del options
    rid = ResourceId(request.path)
    message = (
        f"Failed to save managed cluster {rid.name} in subscription {rid.subscription}, resource group {rid.group}. "
        "Operation is not allowed: Another operation is in progress"
    )
    reason = {"code": "Unspecified", "message": "rpc error: code = FailedPrecondition desc = Etag mismatched"}
    subcode = "PutManagedClusterAndAgentPools_FailedPrecondition"
    raise AzureError(409, "EtagMismatch", message, wrapped=False, details=[reason], subcode=subcode)


def another_operation(request: Request, options: dict[str, Any]) -> Answer:
    """409 while another operation runs on a resource or what it depends on. Second-hand."""
    del options
    uri = f"https://management.azure.com{request.path}/operations/another?api-version={request.api_version}"
    message = (
        "Another operation on this or dependent resource is in progress. To retrieve status of the operation use "
        f"uri: {uri}."
    )
    raise AzureError(409, "AnotherOperationInProgress", message)


def principal_not_found(request: Request, options: dict[str, Any]) -> Answer:
    """400 while an identity spreads. azure-service-operator/Test_Authorization_RoleAssignment_OnResourceGroup_CRUD."""
    del options
    properties = (request.body or {}).get("properties", {})
    raise principal_unknown(str(properties.get("principalId", "")), request.simulator.tenant)


def principal_unknown(principal_id: str, tenant: str) -> AzureError:
    message = (
        f"Principal {principal_id.replace('-', '')} does not exist in the directory {tenant}. Check that you have the "
        "correct principal ID. If you are creating this principal and then immediately assigning a role, this error "
        "might be related to a replication delay. In this case, set the role assignment principalType property to a "
        "value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype"
    )
    return AzureError(400, "PrincipalNotFound", message)


def not_replicated(request: Request, options: dict[str, Any]) -> Answer:
    """404 for a resource that is there: another of Resource Manager's regions does not know it yet. Second-hand."""
    del options
    rid = ResourceId(request.path)
    what = "/".join((rid.provider, *(part for pair in zip(rid.types, rid.names, strict=False) for part in pair)))
    message = (
        f"The Resource '{what}' under resource group '{rid.group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    raise AzureError(404, "ResourceNotFound", message, headers=GATEWAY)


def drop_before(request: Request, options: dict[str, Any]) -> Answer:
    """Close the connection without an answer; nothing has happened. Second-hand, as every network does."""
    del request, options
    raise DropConnectionError


def drop_after(request: Request, options: dict[str, Any]) -> Answer:
    """Close the connection without an answer, after the request was carried out. Second-hand, as every network does."""
    del request, options
    raise DropConnectionError


BEFORE: dict[str, Kind] = {
    one.__name__: one
    for one in (
        throttled,
        throttled_without_retry_after,
        server_error,
        server_error_unwrapped,
        bad_gateway,
        bad_gateway_html,
        unavailable,
        gateway_timeout,
        etag_mismatch,
        another_operation,
        principal_not_found,
        not_replicated,
        drop_before,
    )
}
AFTER: dict[str, Kind] = {"drop_after": drop_after}


def operation_failed(options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Let an operation end Failed. Its code and text (options `code`, `message`) are second-hand."""
    code = options.get("code", "InternalOperationError")
    return "Failed", {"code": code, "message": options.get("message", "Internal server error")}


def operation_canceled(options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Let an operation end Canceled. Recordings have one, after half an hour; its code and text are second-hand."""
    code = options.get("code", "OperationPreempted")
    default = "The operation has been preempted by a more recent request."
    return "Canceled", {"code": code, "message": options.get("message", default)}


def operation_troubled(options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Let an operation's polls show an error while it is InProgress, after which it ends well.

    azure-cli/acs/test_aks_availability_zones_msi, azure-cli/acs/test_aks_create_and_update_with_http_proxy_config.
    """
    code = options.get("code", "ReconcileControlPlaneCertificatesError")
    return "InProgress", {"code": code, "message": options.get("message", "key pool is empty")}


FATES: dict[str, Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    one.__name__: one for one in (operation_failed, operation_canceled, operation_troubled)
}
KINDS = (*BEFORE, *AFTER, *FATES)
