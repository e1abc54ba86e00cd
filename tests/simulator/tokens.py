# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Entra: tokens for service principals and managed identities, and the check of tokens."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import jwt

from .errors import Answer, AzureError
from .federation import AUDIENCE, EntraError, check_assertion
from .keys import KEY_ID, published_keys, signing_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .arm import Request
    from .principals import Principal
    from .simulator import Simulator

LOGIN = "https://login.microsoftonline.com"
MANAGEMENT = ("https://management.azure.com", "https://management.core.windows.net")
RESOURCES = (*MANAGEMENT, "https://storage.azure.com", "https://vault.azure.net", "https://graph.microsoft.com")
# The AKS server application, which kubelogin and others ask tokens for.
RESOURCES += ("6dae42f8-4368-4678-94ff-3960e28e3630", "https://ossrdbms-aad.database.windows.net")


class Tokens:
    """Issues tokens and knows whose they are.

    Lifetimes are in real time: a client keeps a token until the hour on its own clock is over.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.lifetime = 3599
        # The keys of issuers of federated tokens: a JWKS document, or a function that fetches one.
        self.oidc_keys: dict[str, Any] = {}
        self._expired_before = 0.0
        self._seen: dict[str, tuple[dict[str, Any], float]] = {}

    def expire(self) -> None:
        """Let every token that was issued so far count as expired."""
        self._expired_before = time.time()

    def issue(self, principal: Principal, resource: str) -> str:
        now = time.time()
        tenant = self._simulator.tenant
        claims = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{tenant}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now + self.lifetime),
            "appid": principal.app_id,
            "idtyp": "user" if principal.kind == "User" else "app",
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": tenant,
            "uti": uuid.uuid4().hex,
            "ver": "1.0",
            "_issued": now,
        }
        if principal.resource:
            claims["xms_mirid"] = principal.resource
        return jwt.encode(claims, signing_key(), algorithm="RS256", headers={"kid": KEY_ID})

    def service_account(self, issuer: str, namespace: str, name: str, audience: str = AUDIENCE) -> str:
        """Issue the token that a cluster gives a pod, and publish the cluster's keys at its issuer."""
        self.oidc_keys.setdefault(issuer, published_keys())
        now = int(time.time())
        subject = f"system:serviceaccount:{namespace}:{name}"
        claims = {"iss": issuer, "sub": subject, "aud": [audience], "iat": now, "nbf": now, "exp": now + 3600}
        return jwt.encode(claims, signing_key(), algorithm="RS256", headers={"kid": KEY_ID})

    def verify(self, token: str, audiences: Iterable[str] = MANAGEMENT) -> Principal | None:
        """Say whose token it is. None: it is not one of ours, expired, or meant for somebody else."""
        try:
            claims, _ = self._claims(token)
        except jwt.InvalidTokenError:
            return None
        if claims["exp"] < time.time() or claims["_issued"] <= self._expired_before:
            return None
        if claims["aud"].rstrip("/") not in {one.rstrip("/") for one in audiences}:
            return None
        return self._simulator.principals.get(claims["oid"])

    def _claims(self, token: str) -> tuple[dict[str, Any], float]:
        if token not in self._seen:
            options = {"verify_aud": False, "verify_exp": False}
            claims = jwt.decode(token, signing_key().public_key(), algorithms=["RS256"], options=options)
            self._seen[token] = claims, claims["exp"]
        return self._seen[token]

    def authenticate(self, request: Request) -> Principal:
        """Say who sends a request to Resource Manager, or raise 401 in its words (second-hand)."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        challenge = f'Bearer authorization_uri="{LOGIN}/{self._simulator.tenant}", error="invalid_token", '
        challenge += 'error_description="The access token is missing, expired or not meant for this service."'
        headers = {"WWW-Authenticate": challenge}
        if kind.lower() != "bearer" or not token:
            message = "Authentication failed. The 'Authorization' header is missing."
            raise AzureError(401, "AuthenticationFailed", message, headers=headers)
        principal = self.verify(token)
        if principal is not None:
            return principal
        try:
            claims, _ = self._claims(token)
        except jwt.InvalidTokenError:
            message = "The access token is invalid."
            raise AzureError(401, "InvalidAuthenticationToken", message, headers=headers) from None
        if claims["aud"].rstrip("/") not in MANAGEMENT:
            message = (
                "The access token has been obtained for wrong audience or resource "
                f"'{claims['aud']}'. It should exactly match with one of the allowed audiences '{MANAGEMENT[0]}/'."
            )
            raise AzureError(401, "InvalidAuthenticationTokenAudience", message, headers=headers)
        message = "The access token expiry UTC time is earlier than current UTC time."
        raise AzureError(401, "ExpiredAuthenticationToken", message, headers=headers)

    # -- login.microsoftonline.com

    def handle(self, request: Request) -> Answer:
        """Answer for login.microsoftonline.com."""
        try:
            return self._login(request)
        except EntraError as error:
            return error.answer(self._simulator)

    def _login(self, request: Request) -> Answer:
        tenant, _, rest = request.path.strip("/").partition("/")
        if rest == "discovery/instance":
            return self._instance_discovery(request)
        if tenant not in {self._simulator.tenant, "common", "organizations"}:
            raise EntraError(90002, "invalid_tenant", f"Tenant '{tenant}' not found. Check to make sure you have the "
                             "correct tenant ID and are signing into the correct cloud.")  # fmt: skip
        if rest in {"v2.0/.well-known/openid-configuration", ".well-known/openid-configuration"}:
            return Answer(200, self._configuration(tenant, "v2.0/" if rest.startswith("v2.0/") else ""))
        if rest in {"discovery/v2.0/keys", "discovery/keys"}:
            return Answer(200, published_keys())
        if rest in {"oauth2/v2.0/token", "oauth2/token"} and request.method == "POST":
            return self._token(dict(parse_qsl(request.raw.decode(), keep_blank_values=True)))
        raise EntraError(900144, "invalid_request", f"There is nothing at '{request.path}'.", status=404)

    def _instance_discovery(self, request: Request) -> Answer:
        tenant = self._simulator.tenant
        endpoint = request.query.get("authorization_endpoint", "")
        parts = endpoint.removeprefix("https://").split("/")
        tenant = parts[1] if len(parts) > 1 else tenant
        hosts = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]
        cloud = {"preferred_network": hosts[0], "preferred_cache": hosts[1], "aliases": hosts}
        found = f"{LOGIN}/{tenant}/v2.0/.well-known/openid-configuration"
        return Answer(200, {"tenant_discovery_endpoint": found, "api-version": "1.1", "metadata": [cloud]})

    def _configuration(self, tenant: str, version: str) -> dict[str, Any]:
        base = f"{LOGIN}/{tenant}"
        own = self._simulator.tenant
        return {
            "token_endpoint": f"{base}/oauth2/{version}token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery/{version}keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            # The older endpoints' tokens have another issuer, which API servers are told to trust.
            "issuer": f"{LOGIN}/{own}/v2.0" if version else f"https://sts.windows.net/{own}/",
            "authorization_endpoint": f"{base}/oauth2/{version}authorize",
            "device_authorization_endpoint": f"{base}/oauth2/{version}devicecode",
            "end_session_endpoint": f"{base}/oauth2/{version}logout",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
        }

    def _token(self, form: dict[str, str]) -> Answer:
        if form.get("grant_type") != "client_credentials":
            message = f"The grant type '{form.get('grant_type')}' is not supported by the simulator."
            raise EntraError(70003, "unsupported_grant_type", message)
        client = form.get("client_id", "")
        principal = self._simulator.principals.by_app(client)
        if principal is None:
            message = (
                f"Application with identifier '{client}' was not found in the directory '{self._simulator.tenant}'. "
                "This can happen if the application has not been installed by the administrator of the tenant or "
                "consented to by any user in the tenant. You may have sent your authentication request to the wrong "
                "tenant."
            )
            raise EntraError(700016, "unauthorized_client", message)
        self._authenticate_client(principal, form)
        return Answer(200, self._issued(principal, _resource(form)))

    def _authenticate_client(self, principal: Principal, form: dict[str, str]) -> None:
        if "client_assertion" in form:
            check_assertion(self._simulator, principal, form["client_assertion"])
        elif not form.get("client_secret"):
            message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise EntraError(7000218, "invalid_client", message)
        elif not principal.secret or form["client_secret"] != principal.secret:
            message = (
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                "value, not the client secret ID, for a secret added to app "
                f"'{principal.app_id}'."
            )
            raise EntraError(7000215, "invalid_client", message, status=401)

    def _issued(self, principal: Principal, resource: str) -> dict[str, Any]:
        lifetime = self.lifetime
        token = self.issue(principal, resource)
        return {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token}

    def for_machine(self, principal: Principal, resource: str) -> dict[str, Any]:
        """Return a token as a machine's metadata service does: numbers are strings there."""
        now = int(time.time())
        return {
            "access_token": self.issue(principal, _known(resource)),
            "client_id": principal.app_id,
            "expires_in": str(self.lifetime),
            "expires_on": str(now + self.lifetime),
            "ext_expires_in": str(self.lifetime),
            "not_before": str(now),
            "resource": resource,
            "token_type": "Bearer",
        }


def _resource(form: dict[str, str]) -> str:
    scope = form.get("scope", "").split(" ")[0]
    if scope and not scope.endswith("/.default"):
        message = (
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI)."
        )
        raise EntraError(1002012, "invalid_scope", message)
    return _known(scope.removesuffix("/.default") if scope else form.get("resource", ""))


def _known(resource: str) -> str:
    if resource.rstrip("/") in RESOURCES or resource.rstrip("/").endswith(".vault.azure.net"):
        return resource
    message = (
        f"The resource principal named {resource} was not found in the tenant named Simulator. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You might have sent your authentication request to the wrong tenant."
    )
    raise EntraError(500011, "invalid_resource", message)
