# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data plane of the simulator's storage accounts: Azurite, by Azure's own SDK, behind Azure's checks."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.storage.blob import BlobClient, BlobSasPermissions, BlobServiceClient, generate_blob_sas
from simulator_requests import GROUP_ID, Requests, make_group

from simulator.azurite import install, signature
from simulator.blobs_access import needed
from simulator.simulator import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.http import Running

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="Azurite needs node")

ACCOUNT = f"{GROUP_ID}/providers/Microsoft.Storage/storageAccounts/matchadata"
CONTAINERS = f"{ACCOUNT}/blobServices/default/containers"
URL = "https://matchadata.blob.core.windows.net"
CONTRIBUTOR = "Storage Blob Data Contributor"


class Account(Requests):
    """A storage account, and clients of its blobs."""

    version = "2023-01-01"

    def __init__(self, run: Running) -> None:
        self.run, self.simulator, self.principal = run, run.simulator, None
        make_group(self.simulator)
        owner = self.simulator.owner
        self.credential = ClientSecretCredential(self.simulator.tenant, owner.app_id, owner.secret)
        self.make()

    def make(self) -> None:
        body = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
        self.call("PUT", ACCOUNT, body)
        self.simulator.clock.advance(60)

    def service(self, credential: Any = None) -> BlobServiceClient:
        return BlobServiceClient(URL, credential=credential or self.credential, retry_total=0)

    def key(self) -> str:
        return str(self.call("POST", f"{ACCOUNT}/listKeys").body["keys"][0]["value"])

    def set(self, **properties: Any) -> None:
        assert self.call("PATCH", ACCOUNT, {"properties": properties}).status == 200

    def listed(self) -> list[str]:
        return [one["name"] for one in self.call("GET", CONTAINERS).body["value"]]


@contextmanager
def starts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with running() as run:
        for name, value in run.environment.items():
            monkeypatch.setenv(name, value)
        yield Account(run)


@pytest.fixture(scope="module")
def shared() -> Iterator[Account]:
    """One Azurite for all tests that leave nothing behind but blobs."""
    install()
    with pytest.MonkeyPatch.context() as patch, starts(patch) as account:
        account.simulator.access.grant(account.simulator.owner, CONTRIBUTOR, ACCOUNT)
        account.call("PUT", f"{CONTAINERS}/state", {"properties": {"metadata": {"made": "by-arm"}}})
        yield account


def refused(call: Any, *args: Any, **more: Any) -> tuple[int, str]:
    with pytest.raises(HttpResponseError) as caught:
        call(*args, **more)
    return caught.value.status_code, str(getattr(caught.value.error_code, "value", caught.value.error_code))


def test_a_blob_goes_in_and_comes_out(shared: Account) -> None:
    blob = shared.service().get_blob_client("state", "deep/er name.json")
    assert not blob.exists()
    blob.upload_blob(b"{}", metadata={"a": "b"})
    found = blob.get_blob_properties()
    assert (found.size, found.metadata) == (2, {"a": "b"})
    assert blob.download_blob().readall() == b"{}"
    large = shared.service().get_blob_client("state", "large")
    large.upload_blob(bytes(9_000_000), max_concurrency=2, length=9_000_000)
    assert large.get_blob_properties().size == 9_000_000
    assert large.download_blob(offset=5, length=7).readall() == bytes(7)
    names = [one.name for one in shared.service().get_container_client("state").list_blobs()]
    assert {"deep/er name.json", "large"} <= set(names)
    blob.delete_blob()
    assert not blob.exists()
    log = [(one["method"], one["host"]) for one in shared.run.log()]
    assert ("DELETE", "matchadata.blob.core.windows.net") in log


def test_a_lease_keeps_others_out(shared: Account) -> None:
    blob = shared.service().get_blob_client("state", "lock")
    blob.upload_blob(b"1")
    lease = blob.acquire_lease(15)
    assert refused(blob.upload_blob, b"2", overwrite=True) == (412, "LeaseIdMissing")
    assert refused(blob.acquire_lease, 15) == (409, "LeaseAlreadyPresent")
    blob.upload_blob(b"3", overwrite=True, lease=lease)
    lease.renew()
    held = str(lease.id)
    lease.release()
    assert refused(blob.upload_blob, b"4", overwrite=True, lease=held)[0] == 412
    assert blob.download_blob().readall() == b"3"


def test_a_stale_etag_writes_nothing(shared: Account) -> None:
    blob = shared.service().get_blob_client("state", "etag")
    old = blob.upload_blob(b"1")["etag"]
    blob.upload_blob(b"2", overwrite=True, etag=old, match_condition=MatchConditions.IfNotModified)
    stale = {"overwrite": True, "etag": old, "match_condition": MatchConditions.IfNotModified}
    assert refused(blob.upload_blob, b"3", **stale) == (412, "ConditionNotMet")
    assert blob.download_blob().readall() == b"2"


def test_containers_are_the_same_on_both_planes(shared: Account) -> None:
    service = shared.service()
    assert service.get_container_client("state").get_container_properties().metadata == {"made": "by-arm"}
    service.create_container("data-plane", metadata={"k": "v"})
    assert shared.call("GET", f"{CONTAINERS}/data-plane").body["properties"]["metadata"] == {"k": "v"}
    service.get_container_client("data-plane").set_container_metadata({"k": "w"})
    assert shared.call("GET", f"{CONTAINERS}/data-plane").body["properties"]["metadata"] == {"k": "w"}
    shared.call("PATCH", f"{CONTAINERS}/data-plane", {"properties": {"metadata": {"k": "x"}}})
    assert service.get_container_client("data-plane").get_container_properties().metadata == {"k": "x"}
    service.delete_container("data-plane")
    assert "data-plane" not in shared.listed()
    shared.call("PUT", f"{CONTAINERS}/resource-manager", {"properties": {}})
    assert "resource-manager" in [one.name for one in service.list_containers()]
    shared.call("DELETE", f"{CONTAINERS}/resource-manager")
    assert "resource-manager" not in [one.name for one in service.list_containers()]


def test_a_container_that_is_made_again_is_empty(shared: Account) -> None:
    path, service = f"{CONTAINERS}/again", shared.service()
    shared.call("PUT", path, {"properties": {}})
    service.get_blob_client("again", "old").upload_blob(b"1")
    shared.call("DELETE", path)
    shared.call("PUT", path, {"properties": {}})
    assert list(service.get_container_client("again").list_blobs()) == []


def test_a_key_or_a_signature_opens_the_account(shared: Account) -> None:
    key = shared.key()
    shared.service(key).get_blob_client("state", "keyed").upload_blob(b"1")
    until = datetime.now(timezone.utc) + timedelta(hours=1)
    sas = generate_blob_sas(
        "matchadata", "state", "keyed", account_key=key, permission=BlobSasPermissions(read=True), expiry=until
    )
    blob = BlobClient(URL, "state", "keyed", credential=sas)
    assert blob.download_blob().readall() == b"1"
    assert refused(blob.upload_blob, b"2", overwrite=True)[0] == 403
    wrong = shared.service("a" * 86 + "==").get_blob_client("state", "keyed")
    assert refused(wrong.download_blob) == (403, "AuthenticationFailed")


def test_nobody_is_let_in_without_a_name(shared: Account) -> None:
    anonymous = BlobServiceClient(URL, retry_total=0).get_blob_client("state", "keyed")
    assert refused(anonymous.download_blob) == (401, "NoAuthenticationInformation")
    with pytest.raises(HttpResponseError) as caught:
        shared.service().create_container("open", public_access="blob")
    assert caught.value.error_code == "PublicAccessNotPermitted"
    assert "open" not in shared.listed()


def test_the_account_says_who_may_come(shared: Account) -> None:
    blob = shared.service().get_blob_client("state", "guarded")
    blob.upload_blob(b"1")
    keyed = shared.service(shared.key()).get_blob_client("state", "guarded")
    try:
        shared.set(allowSharedKeyAccess=False)
        assert refused(keyed.download_blob) == (403, "KeyBasedAuthenticationNotPermitted")
        assert blob.download_blob().readall() == b"1"
        shared.set(publicNetworkAccess="Disabled")
        assert refused(blob.download_blob) == (403, "AuthorizationFailure")
        shared.set(publicNetworkAccess="Enabled", networkAcls={"defaultAction": "Deny"})
        assert refused(blob.download_blob) == (403, "AuthorizationFailure")
        rule = {"value": shared.simulator.client_address, "action": "Allow"}
        shared.set(networkAcls={"defaultAction": "Deny", "ipRules": [rule]})
        assert blob.download_blob().readall() == b"1"
    finally:
        shared.set(allowSharedKeyAccess=True, publicNetworkAccess="Enabled", networkAcls={"defaultAction": "Allow"})


def test_an_owner_has_no_right_to_data_until_a_grant_has_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    with starts(monkeypatch) as account:
        simulator, blob = account.simulator, account.service().get_blob_client("mine", "x")
        simulator.clock.speed = 1  # so that a grant spreads when the test says so
        account.service().create_container("mine")  # an action, which an owner may do
        assert refused(blob.upload_blob, b"1") == (403, "AuthorizationPermissionMismatch")
        grant = simulator.access.grant(simulator.owner, CONTRIBUTOR, f"{CONTAINERS}/mine")
        grant.update(simulator.access.effective())
        assert refused(blob.upload_blob, b"1") == (403, "AuthorizationPermissionMismatch")
        simulator.clock.advance(simulator.delays.data_grant)
        blob.upload_blob(b"1")
        other = account.service().get_blob_client("other", "x")
        assert refused(other.upload_blob, b"1") == (403, "AuthorizationPermissionMismatch")


def test_a_token_for_something_else_is_refused(shared: Account) -> None:
    from azure.core.credentials import AccessToken

    class Wrong:
        def get_token(self, *_: str, **__: Any) -> AccessToken:
            return AccessToken(shared.simulator.tokens.issue(shared.simulator.owner, "https://vault.azure.net"), 2**40)

    assert refused(shared.service(Wrong()).get_blob_client("state", "x").download_blob)[0] == 401


def test_a_new_key_ends_the_old_one_and_keeps_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    with starts(monkeypatch) as account:
        account.call("PUT", f"{CONTAINERS}/kept", {"properties": {}})
        old = account.service(account.key()).get_blob_client("kept", "x")
        old.upload_blob(b"1")
        (served,) = account.simulator.blobs._served.values()
        first, folder = served.azurite.process, served.azurite.folder
        account.call("POST", f"{ACCOUNT}/regenerateKey", {"keyName": "key1"})
        assert refused(old.download_blob) == (403, "AuthenticationFailed")
        assert account.service(account.key()).get_blob_client("kept", "x").download_blob().readall() == b"1"
        second = served.azurite.process
        assert not first.runs
    # No process and no data remain.
    assert not second.runs
    assert not folder.exists()


def test_another_account_of_the_same_name_has_none_of_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    with starts(monkeypatch) as account:
        account.call("PUT", f"{CONTAINERS}/data", {"properties": {}})
        account.service(account.key()).get_blob_client("data", "x").upload_blob(b"1")
        account.call("DELETE", ACCOUNT)
        assert refused(account.service("a" * 86 + "==").get_blob_client("data", "x").download_blob)[0] == 404
        account.make()
        account.call("PUT", f"{CONTAINERS}/data", {"properties": {}})
        assert not account.service(account.key()).get_blob_client("data", "x").exists()


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("GET /?comp=list", ("action", "containers/read", "")),
        ("PUT /c?restype=container", ("action", "containers/write", "c")),
        ("DELETE /c?restype=container", ("action", "containers/delete", "c")),
        ("GET /c?restype=container&comp=list", ("data", "containers/blobs/read", "c")),
        ("GET /c/b", ("data", "containers/blobs/read", "c")),
        ("PUT /c/b/d", ("data", "containers/blobs/write", "c")),
        ("PUT /c/b?comp=lease", ("data", "containers/blobs/write", "c")),
        ("DELETE /c/b", ("data", "containers/blobs/delete", "c")),
        ("PUT /c/b?comp=tags", ("data", "containers/blobs/tags/write", "c")),
    ],
)
def test_what_a_request_needs(request_line: str, expected: tuple[str, str, str]) -> None:
    method, target = request_line.split()
    path, _, query = target.partition("?")
    kind, action, container = needed(method, path, dict(part.split("=") for part in query.split("&") if part))
    assert (kind, action.removeprefix("Microsoft.Storage/storageAccounts/blobServices/"), container) == expected


def test_a_signature_covers_what_it_should() -> None:
    headers = {"x-ms-date": "now", "content-length": "0"}
    plain = signature("a", "a2V5", "PUT", "/c/b?comp=x", headers)
    assert plain == signature("a", "a2V5", "PUT", "/c/b?comp=x", {**headers, "content-length": ""})
    for changed in (
        signature("a", "a2V5", "GET", "/c/b?comp=x", headers),
        signature("a", "a2V5", "PUT", "/c/d?comp=x", headers),
        signature("a", "a2V5", "PUT", "/c/b?comp=y", headers),
        signature("a", "a2V5", "PUT", "/c/b?comp=x", {**headers, "if-match": "z"}),
        signature("a", "b2V5", "PUT", "/c/b?comp=x", headers),
    ):
        assert changed != plain
