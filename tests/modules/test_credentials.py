# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access to a cluster, put into a kubeconfig: nothing else in it is disturbed, and nothing of it is shown."""

from __future__ import annotations

import json
import multiprocessing
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import yaml

from ansible_collections.matcha.mlops.plugins.module_utils.azure import credentials
from ansible_collections.matcha.mlops.plugins.module_utils.azure.kubeconfig import Access, parse
from modules.harness import ModuleError, run_module

if TYPE_CHECKING:
    from modules.conftest import Azure

KUBECTL = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"
SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
POT = {"resource_group": "tea", "cluster_name": "pot"}
# Everything that a careless reader of YAML would write back as something else.
FOREIGN = """\
# kept by nobody
apiVersion: v1
kind: Config
x-unknown: {a: [1, 2.50, null, "no", 2026-01-01, 12:30, 0123]}
preferences: {colors: true}
clusters:
- name: kind
  cluster:
    server: https://127.0.0.1:6443
    certificate-authority: /etc/kind/ca.pem
    extensions:
    - name: minikube
      extension: {last-update: 2024-01-02T03:04:05Z, on: yes}
contexts:
- name: kind
  context: {cluster: kind, user: kind, namespace: tea}
- context: {cluster: gone, user: gone}
  name: broken
current-context: kind
users:
- name: kind
  user:
    auth-provider: {name: oidc, config: {expiry: 2024-01-02T03:04:05Z, id-token: "0x10"}}
"""


def without_ours(path: Path) -> Any:
    """Return everything in a file that is not a context, cluster or user for our cluster."""
    found = parse(path.read_text(), "the file")
    for section in ("clusters", "contexts", "users"):
        found[section] = [each for each in found.get(section) or () if "pot" not in each["name"]]
    return found


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a kubeconfig that is not there yet, in a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return tmp_path / ".kube" / "config"


@pytest.fixture
def pot(azure: Azure) -> Azure:
    """Return an Azure with a cluster that has local accounts."""
    return cluster(azure)


@pytest.fixture
def any_pot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Azure hand out access to a cluster, without an Azure, where all that matters is the file."""

    def fetch(_arm: Any, params: dict[str, Any]) -> Access:
        kind = "Admin" if params["admin"] else "User"
        user = {"client-certificate-data": f"{kind} certificate", "client-key-data": f"{kind} key"}
        server = {"server": "https://pot.example.com:443", "certificate-authority-data": "authority"}
        return Access("pot", f"cluster{kind}_tea_pot", server, user)

    monkeypatch.setattr(credentials, "fetch", fetch)


@pytest.fixture
def any_closed_pot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Azure hand out access to a cluster with Entra ID, without an Azure."""
    known = ["--environment", "AzurePublicCloud", "--client-id", KUBECTL, "--tenant-id", "TENANT"]
    arguments = ["get-token", "--server-id", SERVER, *known, "--login", "devicecode"]
    program = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin", "args": arguments}
    access = Access(
        "pot", "clusterUser_tea_pot", {"server": "https://pot"}, {"exec": {**program, "installHint": "Get it."}}
    )
    monkeypatch.setattr(credentials, "fetch", lambda _arm, _params: access)


@pytest.fixture
def closed_pot(azure: Azure) -> Azure:
    """Return an Azure with a cluster that has no local accounts."""
    return cluster(azure, aad_profile={"managed": True, "enable_azure_rbac": True}, disable_local_accounts=True)


def cluster(azure: Azure, **options: Any) -> Azure:
    run_module("resource_group", name="tea", location="westeurope")
    pools = [{"name": "system", "mode": "System", "vm_size": "Standard_DS3_v2", "count": 1}]
    run_module(
        "aks_cluster", resource_group="tea", name="pot", location="westeurope", agent_pool_profiles=pools, **options
    )
    return azure


def get(**options: Any) -> dict[str, Any]:
    """Get credentials, and see that nothing secret is in the result."""
    result = run_module("aks_credentials", **{**POT, **options})
    file = Path(result["path"])
    if file.exists():
        text = json.dumps(result)
        assert not [secret for secret in secrets(yaml.safe_load(file.read_text())) if secret in text]
    return result


def secrets(document: dict[str, Any]) -> list[str]:
    users = [each["user"] for each in document["users"]]
    keys = ("client-key-data", "client-certificate-data", "token", "password")
    return [user[key] for user in users for key in keys if key in user]


def user_of(path: Path, context: str = "pot") -> dict[str, Any]:
    document = yaml.safe_load(path.read_text())
    name = next(each["context"]["user"] for each in document["contexts"] if each["name"] == context)
    return dict(next(each["user"] for each in document["users"] if each["name"] == name))


def refused(**options: Any) -> str:
    with pytest.raises(ModuleError) as error:
        get(**options)
    return str(error.value)


@pytest.mark.usefixtures("pot")
def test_a_new_file(path: Path) -> None:
    plan = get(check_mode=True)
    assert not path.parent.exists()
    result = get()
    assert result["diff"] == plan["diff"]
    assert result["contexts"] == plan["contexts"] == {"added": ["pot"], "changed": [], "removed": []}
    assert result["credential"] == "certificate"
    assert result["path"] == str(path)
    assert result["diff"]["after"]["contexts"]["pot"]["server"] == result["server"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    document = yaml.safe_load(path.read_text())
    assert document["current-context"] == ""
    assert document["contexts"] == [{"name": "pot", "context": {"cluster": "pot", "user": "clusterUser_tea_pot"}}]
    before = path.stat()
    assert not get()["changed"]
    assert path.stat().st_ino == before.st_ino


@pytest.mark.usefixtures("any_pot")
def test_what_is_not_ours_stays(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(FOREIGN)
    path.chmod(0o600)
    before = without_ours(path)
    get()
    assert without_ours(path) == before
    assert before["x-unknown"]["a"] == [1, 2.5, None, "no", "2026-01-01", "12:30", "0123"]
    get(admin=True)
    assert without_ours(path) == before
    get(state="absent")
    get(state="absent", admin=True)
    assert parse(path.read_text(), "") == before
    assert not get(state="absent")["changed"]


@pytest.mark.usefixtures("any_pot")
def test_names_and_the_current_context(path: Path) -> None:
    assert get(admin=True)["context"] == "pot-admin"
    assert get(context="mine")["context"] == "mine"
    assert yaml.safe_load(path.read_text())["current-context"] == ""
    result = get(context="mine", set_current_context=True)
    assert result["changed"]
    assert (result["diff"]["before"]["current-context"], result["diff"]["after"]["current-context"]) == ("", "mine")
    assert result["contexts"] == {"added": [], "changed": [], "removed": []}
    assert not get(context="mine", set_current_context=True)["changed"]
    # A context that goes cannot be the current one.
    get(state="absent", context="mine")
    assert yaml.safe_load(path.read_text())["current-context"] == ""


@pytest.mark.usefixtures("any_pot")
def test_the_file_that_is_meant(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", f":{tmp_path}/first:{tmp_path}/second")
    assert get()["path"] == str(tmp_path / "first")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    assert get(path=str(link))["path"] == str(tmp_path / "real")
    assert link.is_symlink()
    assert not path.exists()


@pytest.mark.usefixtures("any_pot")
def test_a_file_that_others_can_read(path: Path) -> None:
    get()
    path.chmod(0o644)
    result = get()
    assert result["changed"]
    assert (result["diff"]["before"]["mode"], result["diff"]["after"]["mode"]) == ("0644", "0600")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def entry(document: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    return dict(next(each[section[:-1]] for each in document[section] if each["name"] == name))


def edit(path: Path, **entries: tuple[str, dict[str, Any]]) -> None:
    """Add an entry to sections of a file, in place of the one of that name."""
    document = yaml.safe_load(path.read_text())
    for section, (name, value) in entries.items():
        rest = [each for each in document[section] if each["name"] != name]
        document[section] = [*rest, {"name": name, section[:-1]: value}]
    path.write_text(yaml.safe_dump(document))


@pytest.mark.usefixtures("any_pot")
def test_what_another_context_uses_is_left_to_it(path: Path) -> None:
    get()
    other = {"server": "https://other", "insecure-skip-tls-verify": True}
    edit(
        path,
        clusters=("pot", other),
        users=("clusterUser_tea_pot", {"token": "theirs"}),
        contexts=("theirs", {"cluster": "pot", "user": "clusterUser_tea_pot"}),
    )
    result = get()
    assert result["contexts"]["changed"] == ["pot"]
    document = yaml.safe_load(path.read_text())
    assert entry(document, "clusters", "pot") == other
    assert entry(document, "users", "clusterUser_tea_pot") == {"token": "theirs"}
    assert entry(document, "contexts", "pot") == {"cluster": "pot-pot", "user": "clusterUser_tea_pot-pot"}
    assert not get()["changed"]
    # They stay when ours goes.
    get(state="absent")
    document = yaml.safe_load(path.read_text())
    assert [each["name"] for each in document["users"]] == ["clusterUser_tea_pot"]
    assert [each["name"] for each in document["clusters"]] == ["pot"]


@pytest.mark.usefixtures("any_pot")
def test_a_context_of_another_cluster_is_not_taken_over(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(FOREIGN)
    message = refused(context="kind")
    assert "has a context 'kind' of another cluster (https://127.0.0.1:6443): set context" in message
    assert path.read_text() == FOREIGN


@pytest.mark.usefixtures("any_pot")
def test_a_cluster_that_was_made_again(path: Path) -> None:
    get()
    before = yaml.safe_load(path.read_text())
    edit(
        path,
        clusters=("pot", {"server": "https://old", "certificate-authority": "/old.pem", "proxy-url": "http://proxy"}),
        users=("clusterUser_tea_pot", {"token": "old", "as": "somebody", "extensions": []}),
        contexts=("pot", {"cluster": "pot", "user": "clusterUser_tea_pot", "namespace": "tea"}),
    )
    assert get()["contexts"]["changed"] == ["pot"]
    document = yaml.safe_load(path.read_text())
    # What was set by hand stays, but no old way to trust it, or to sign in.
    assert entry(document, "clusters", "pot") == {**entry(before, "clusters", "pot"), "proxy-url": "http://proxy"}
    ours = entry(before, "users", "clusterUser_tea_pot")
    assert entry(document, "users", "clusterUser_tea_pot") == {**ours, "as": "somebody", "extensions": []}
    assert entry(document, "contexts", "pot")["namespace"] == "tea"


@pytest.mark.usefixtures("any_pot")
def test_the_admins_key_does_not_stay_behind(path: Path) -> None:
    get(admin=True, context="mine")
    get(context="mine")
    assert [each["name"] for each in yaml.safe_load(path.read_text())["users"]] == ["clusterUser_tea_pot"]


def test_absent_asks_nothing_of_azure(azure: Azure, path: Path) -> None:
    azure.forget()
    assert not run_module("aks_credentials", context="pot", state="absent")["changed"]
    assert azure.since() == []
    assert not path.parent.exists()


@pytest.mark.usefixtures("any_pot")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: [s3cret", "it is not YAML"),
        ("a: !!python/object/apply:os.system [s3cret]", "it is not YAML: could not determine a constructor"),
        ("- s3cret", "it has no keys at its top"),
        ("just s3cret", "it has no keys at its top"),
        ("kind: Secret\ndata: s3cret", "its kind is not Config"),
        ("users: {s3cret: 1}", "users is not a list of entries"),
        ("contexts: [s3cret]", "contexts is not a list of entries"),
        ("users: [{name: a, user: s3cret}]", "a user in users has no keys"),
        ("a: 1\n---\nb: s3cret", "it is not YAML: but found another document in line 2"),
        (b"\xff\xfe s3cret", "it is not text in UTF-8"),
    ],
)
def test_a_file_that_is_no_kubeconfig(path: Path, content: str | bytes, words: str) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    path.parent.mkdir()
    path.write_bytes(raw)
    message = refused()
    assert message.startswith(f"{path} is no kubeconfig, and was left alone: {words}")
    assert "s3cret" not in message
    assert path.read_bytes() == raw


@pytest.mark.usefixtures("any_pot")
@pytest.mark.parametrize("content", ["", "# nothing\n", "apiVersion: v1\nkind: Config\nclusters: null\nusers:\n"])
def test_a_file_with_nothing_in_it(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    assert get()["contexts"]["added"] == ["pot"]


@pytest.mark.usefixtures("closed_pot", "path")
def test_an_admin_where_there_is_none() -> None:
    message = refused(admin=True)
    assert "set to disable local accounts" in message
    assert "set admin=false, with token=true for a playbook, or with login for a person who has kubelogin" in message


def test_nobody_can_sign_in(azure: Azure, path: Path) -> None:
    cluster(azure, disable_local_accounts=True)
    message = refused()
    assert "sign in with Entra ID (aad_profile of matcha.mlops.aks_cluster), or switch local accounts on" in message
    assert not path.exists()


@pytest.mark.usefixtures("any_closed_pot")
@pytest.mark.parametrize(
    ("method", "client", "arguments"),
    [
        ("azurecli", None, []),
        ("msi", None, []),
        ("msi", "me", ["--client-id", "me"]),
        ("workloadidentity", None, []),
        ("workloadidentity", "me", ["--client-id", "me"]),
        ("spn", None, ["--tenant-id", "TENANT", "--environment", "AzurePublicCloud"]),
        ("spn", "me", ["--client-id", "me", "--tenant-id", "TENANT", "--environment", "AzurePublicCloud"]),
        ("devicecode", None, ["--client-id", KUBECTL, "--tenant-id", "TENANT", "--environment", "AzurePublicCloud"]),
    ],
)
def test_kubelogin(path: Path, method: str, client: str | None, arguments: list[str]) -> None:
    result = get(login=method, login_client_id=client)
    assert result["credential"] == f"kubelogin {method}"
    found = user_of(path)["exec"]
    assert found["args"] == ["get-token", "--login", method, "--server-id", SERVER, *arguments]
    assert (found["command"], found["apiVersion"]) == ("kubelogin", "client.authentication.k8s.io/v1beta1")
    assert found["installHint"] == "Get it."
    assert not get(login=method, login_client_id=client)["changed"]


@pytest.mark.usefixtures("closed_pot")
def test_another_way_to_sign_in(path: Path) -> None:
    get()
    plan = get(login="azurecli", check_mode=True)
    result = get(login="azurecli")
    assert result["diff"] == plan["diff"]
    shown = [result["diff"][side]["contexts"]["pot"]["credential"] for side in ("before", "after")]
    assert shown == ["kubelogin devicecode", "kubelogin azurecli"]
    assert get(token=True)["credential"] == "token"
    assert set(user_of(path)) == {"token"}


def test_a_token(closed_pot: Azure, path: Path) -> None:
    result = get(token=True)
    token = user_of(path)["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert SERVER in claims["aud"]
    assert claims["appid"] == closed_pot.simulator.owner.app_id
    assert result["expires"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(claims["exp"]))
    # It is good for a while: the next run leaves it.
    assert not get(token=True)["changed"]
    assert user_of(path)["token"] == token


@pytest.mark.usefixtures("closed_pot")
@pytest.mark.parametrize("changed", [{"exp": time.time() + 60}, {"appid": "another"}, {"tid": "another"}])
def test_a_token_that_is_not_good_enough(path: Path, changed: dict[str, Any]) -> None:
    get(token=True)
    claims = jwt.decode(user_of(path)["token"], options={"verify_signature": False})
    # Each alone makes it another one's, or too old.
    old = jwt.encode({**claims, **changed}, "k" * 32)
    edit(path, users=("clusterUser_tea_pot", {"token": old}))
    result = get(token=True)
    assert result["changed"]
    assert result["contexts"]["changed"] == ["pot"]
    shown = [result["diff"][side]["contexts"]["pot"]["credential"] for side in ("before", "after")]
    assert shown == ["token", "token, another one"]
    assert user_of(path)["token"] != old


@pytest.mark.usefixtures("pot", "path")
def test_a_cluster_without_entra_takes_its_certificate() -> None:
    for options in ({"token": True}, {"login": "azurecli"}):
        assert get(**options)["credential"] == "certificate"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"resource_group": None}, "Set resource_group and cluster_name"),
        ({"cluster_name": None}, "Set resource_group and cluster_name"),
        ({"cluster_name": None, "state": "absent"}, "Set context, or cluster_name"),
        ({"admin": True, "token": True}, "Set only one of admin, token"),
        ({"login": "msi", "token": True}, "Set only one of login, token"),
    ],
)
@pytest.mark.usefixtures("azure", "path")
def test_options_that_do_not_fit(options: dict[str, Any], words: str) -> None:
    assert words in refused(**options)


@pytest.mark.usefixtures("azure")
def test_a_cluster_that_is_not_there(path: Path) -> None:
    run_module("resource_group", name="tea", location="westeurope")
    assert "'pot'" in refused()
    assert not path.parent.exists()


def merge(path: Path, number: int) -> None:
    """Merge the access to many clusters, as one of many processes."""
    for each in range(4):
        name = f"pot-{number}-{each}"
        access = Access(name, f"clusterUser_tea_{name}", {"server": f"https://{name}"}, {"token": name})
        credentials._access = lambda _arm, _params, found=access: found
        params = {"path": str(path), "context": name, "state": "present", "resource_group": "tea", "cluster_name": name}
        options = dict.fromkeys(("admin", "login", "token", "set_current_context"))
        credentials.apply({**params, **options, "timeout": 10}, False)


def test_many_at_once(path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=merge, args=(path, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(yaml.safe_load(path.read_text())["contexts"]) == 16
