# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `platform` as a playbook runs it, by the real `ansible-playbook`, on a simulated Azure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from modules.harness import run_module
from simulator.access import ASSIGNMENTS
from simulator.arm import resource_id
from simulator.simulator import SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modules.conftest import Azure

ROOT = Path(__file__).resolve().parents[2]
NEEDS = ["cluster", "registry", "database", "storage", "vault", "identities"]
HOST = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
PLAY = {"hosts": "localhost", "gather_facts": False}
STACK: dict[str, Any] = {"ansible.builtin.import_role": {"name": "matcha.mlops.stack"}}
PLATFORM = {"ansible.builtin.include_role": {"name": "matcha.mlops.platform"}}


def part(name: str, **variables: Any) -> dict[str, Any]:
    return {
        "ansible.builtin.include_role": {"name": "matcha.mlops.platform", "tasks_from": name},
        "vars": variables,
    }


SHOW: dict[str, Any] = {
    "ansible.builtin.copy": {"content": "{{ matcha_platform | to_json }}", "dest": "{{ shown }}", "mode": "0600"}
}
SHOW["changed_when"] = False
END = {"ansible.builtin.import_role": {"name": "matcha.mlops.stack", "tasks_from": "end"}}


class Platform:
    """A playbook that begins a run, makes the platform, waits for all of it, and ends the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables: dict[str, Any] = {
            "matcha_target": "azure",
            "matcha_location": "westeurope",
            "matcha_home": str(folder / "home"),
            "shown": str(folder / "platform.json"),
        }
        self.output = ""

    def run(self, *arguments: str, tasks: list[dict[str, Any]] | None = None, fails: bool = False, **more: Any) -> dict:
        """Run it to its end; return what the recap says."""
        path, inventory = self.folder / "playbook.yml", self.folder / "hosts.yml"
        inventory.write_text(json.dumps({"all": {"hosts": {"localhost": HOST}}}))
        if tasks is None:
            tasks = [PLATFORM, part("ready", platform_needs=NEEDS), SHOW]
        path.write_text(
            json.dumps(
                [
                    {
                        **PLAY,
                        "tasks": [STACK, *tasks, END],
                        "vars": {"stack_missing": "ignore"} if tasks is DESTROY else {},
                    }
                ]
            )
        )
        variables = json.dumps({**self.variables, **more})
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, path, "-e", variables, *arguments],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000", "ANSIBLE_LOG_PATH": str(self.folder / "log")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,
        )
        self.output = done.stdout
        assert (done.returncode != 0) == fails, self.output
        assert "Traceback" not in self.output, self.output
        recap = next(line for line in self.output.splitlines() if line.startswith("localhost ") and " ok=" in line)
        return {key: int(value) for key, value in (each.split("=") for each in recap.split(":")[1].split())}

    @property
    def fact(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "platform.json").read_text()))


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path)


# They are asked by POST.
QUESTIONS = ("listClusterUserCredential", "checkNameAvailability")
DESTROY = [part("destroy")]
HERE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/matcha-resources"


class Log:
    """Requests to Resource Manager, in the order in which they came."""

    def __init__(self, requests: list[dict[str, Any]]) -> None:
        self.requests = [each for each in requests if each["host"] == "management.azure.com"]

    def first(self, method: str, *ends: str) -> int:
        """Return the place of the first such request; `ends` are what its path ends with."""
        wanted = tuple(each.lower() for each in ends)
        for number, each in enumerate(self.requests):
            if each["method"] == method and each["path"].lower().endswith(wanted):
                return number
        raise AssertionError(f"no {method} of {ends}")

    def done(self, end: str) -> int:
        """Return the place of the first answer that says that a resource is there."""
        at = self.first("PUT", end)
        return next(
            number
            for number, each in enumerate(self.requests)
            if number > at and each["method"] == "GET" and each["path"].endswith(end) and each["status"] == 200
        )

    def writes(self) -> list[str]:
        """Return the writes, as "METHOD path"."""
        return [
            f"{each['method']} {each['path']}"
            for each in self.requests
            if each["method"] not in ("GET", "HEAD") and not each["path"].endswith(QUESTIONS)
        ]


def since(azure: Azure) -> Log:
    return Log(azure.since())


def there(azure: Azure) -> dict[str, dict[str, Any]]:
    """Return the resources that Azure has, by their ids in lower case; what AKS makes for itself is left out."""
    return {
        str(rid).lower(): document
        for rid, document in azure.simulator.store.within(resource_id(f"/subscriptions/{SUBSCRIPTION}"))
        if rid.provider and "location" in document and "/mc_" not in str(rid).lower()
    }


def one(azure: Azure, end: str) -> dict[str, Any]:
    """Return the properties of the resource whose id ends so."""
    (found,) = (each for rid, each in there(azure).items() if rid.endswith(end.lower()))
    return dict(found["properties"])


def principals(azure: Azure) -> set[str]:
    """Return who has a role of those that still are somebody's."""
    return {each["properties"]["principalId"] for each in azure.simulator.store.all(ASSIGNMENTS)}


def check_order(log: Log) -> None:
    """Nothing begins before what it needs, and what needs nothing of each other goes side by side."""
    address, cluster = log.first("PUT", "/matcha-outbound"), log.first("PUT", "/matcha-k8s")
    server = log.first("PUT", "/matchazenmlserver")
    ready = log.done("/matcha-k8s")
    assert address < cluster
    assert log.first("PUT", "/userAssignedIdentities/matcha-cluster") < cluster
    # The server begins before the address is there, for which the cluster waits.
    assert server < cluster
    for name in ("/kv-matcha", "/crmatcha", "/stmatchaacc", "/matchazenmlacc", "/matchadvcacc"):
        assert log.first("PUT", name) < cluster
    assert log.first("PUT", "/firewallRules/cluster") > log.first("PUT", "/databases/zenml") > server
    for name in ("mlflow", "zenml", "pipelines", "models"):
        assert log.first("PUT", f"/federatedIdentityCredentials/{name}") > ready
    # The right to the vault takes minutes to work, and none of them is spent waiting for a cluster.
    vault = log.first("PUT", "/kv-matcha")
    assert log.first("PUT", *grants_on(log, "/kv-matcha/")) < min(ready, log.first("PUT", "/databases/zenml"))
    assert vault < log.first("PUT", *grants_on(log, "/kv-matcha/"))


def grants_on(log: Log, scope: str) -> list[str]:
    return [each["path"] for each in log.requests if scope in each["path"] and "/roleAssignments/" in each["path"]]


def check_made(azure: Azure, platform: Platform) -> None:
    """Look at what Azure was asked for."""
    tags = platform.fact["tags"]
    assert set(tags) == {"matcha-deployment", "matcha-stack", "matcha-prefix"}
    assert [rid for rid, each in there(azure).items() if not tags.items() <= (each.get("tags") or {}).items()] == []
    cluster = one(azure, "/managedClusters/matcha-k8s")
    network = cluster["networkProfile"]
    (outbound,) = network["loadBalancerProfile"]["outboundIPs"]["publicIPs"]
    assert outbound["id"].endswith("/matcha-outbound")
    assert (network["networkPolicy"], network["networkPluginMode"]) == ("cilium", "overlay")
    assert cluster["disableLocalAccounts"] is True
    (rule,) = (
        each["properties"]
        for rid, each in azure.simulator.store.within(resource_id(f"/subscriptions/{SUBSCRIPTION}"))
        if "/firewallrules/" in str(rid).lower()
    )
    assert {rule["startIpAddress"], rule["endIpAddress"]} == {platform.fact["cluster"]["outbound_ip"]}
    for storage in platform.fact["storage"].values():
        account = one(azure, f"/storageAccounts/{storage['account']}")
        assert (account["allowSharedKeyAccess"], account["allowBlobPublicAccess"]) == (False, False)
    assert Path(platform.fact["cluster"]["kubeconfig"]).parent.stat().st_mode & 0o077 == 0


def passwords(azure: Azure) -> list[str]:
    """Return the passwords that the database server was sent."""
    sent = [(each["body"] or {}).get("properties") or {} for each in azure.log() if isinstance(each["body"], dict)]
    return [each["administratorLoginPassword"] for each in sent if "administratorLoginPassword" in each]


def put_elsewhere(tags: dict[str, str]) -> list[str]:
    """Let somebody else make things: one in our group, and one with our tags in a group of his own."""
    run_module("resource_group", name="elsewhere", location="westeurope")
    place = {"location": "westeurope"}
    made = [
        run_module("public_ip_address", resource_group="matcha-resources", name="foreign", **place),
        run_module("public_ip_address", resource_group="elsewhere", name="copied", tags=tags, **place),
    ]
    return [each["resource"]["id"] for each in made]


def group(name: str) -> dict[str, Any]:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def kinds(version: str, kind: str, plural: str) -> dict[str, Any]:
    found = {
        "name": plural,
        "singularName": kind.lower(),
        "namespaced": kind == "DaemonSet",
        "kind": kind,
        "verbs": ["list"],
    }
    return {"kind": "APIResourceList", "groupVersion": version, "resources": [found]}


class Api(BaseHTTPRequestHandler):
    """A cluster of somebody else's, as far as it is asked about itself."""

    enforcer = "cilium"

    def do_GET(self) -> None:
        """Answer with what a cluster is known by."""
        sets = [{"metadata": {"name": self.enforcer, "namespace": "kube-system"}}]
        answers: dict[str, Any] = {
            "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.3"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "groups": [group("apps"), group("storage.k8s.io")]},
            "/api/v1": kinds("v1", "Namespace", "namespaces"),
            "/api/v1/namespaces/default": {"kind": "Namespace", "metadata": {"name": "default"}},
            "/apis/apps/v1": kinds("apps/v1", "DaemonSet", "daemonsets"),
            "/apis/storage.k8s.io/v1": kinds("storage.k8s.io/v1", "StorageClass", "storageclasses"),
            "/.well-known/openid-configuration": {"issuer": "https://oidc.example/tea/"},
            "/apis/apps/v1/daemonsets": {"kind": "DaemonSetList", "metadata": {}, "items": sets},
        }
        nothing = {"kind": "List", "metadata": {}, "items": []}
        body = json.dumps(answers.get(self.path.partition("?")[0].rstrip("/"), nothing)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    """Yield the address of such a cluster."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def kubeconfig(address: str) -> dict[str, Any]:
    entries = {
        "clusters": [{"name": "pot", "cluster": {"server": address}}],
        "users": [{"name": "me", "user": {"token": "none"}}],
        "contexts": [{"name": "pot", "context": {"cluster": "pot", "user": "me"}}],
    }
    return {"apiVersion": "v1", "kind": "Config", "current-context": "pot", **entries}


@pytest.mark.slow
def test_a_platform_from_nothing_to_nothing(
    azure: Azure, platform: Platform, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure.simulator, "kubeconfig_for", lambda _cluster: kubeconfig(api), raising=False)
    platform.run()
    check_order(Log(azure.log()))
    check_made(azure, platform)
    (password,) = passwords(azure)
    assert password not in platform.output

    azure.forget()
    assert platform.run()["changed"] == 0
    assert since(azure).writes() == []

    azure.forget()
    pool = {"name": "system", "mode": "System", "vm_size": "Standard_DS3_v2", "enable_auto_scaling": True}
    more = {"matcha_node_pools": [{**pool, "min_count": 1, "max_count": 5}]}
    platform.run(**more)
    assert since(azure).writes() == [f"PUT {HERE}/providers/Microsoft.ContainerService/managedClusters/matcha-k8s"]

    platform.run(tasks=[part("stop")])
    assert one(azure, "/managedClusters/matcha-k8s")["powerState"]["code"] == "Stopped"
    assert one(azure, "/flexibleServers/matchazenmlserver")["state"] == "Stopped"
    platform.run(tasks=[part("start")])
    assert one(azure, "/managedClusters/matcha-k8s")["powerState"]["code"] == "Running"
    assert one(azure, "/flexibleServers/matchazenmlserver")["state"] == "Ready"

    rights = principals(azure)
    platform.run(tasks=DESTROY, matcha_keep_data=True)
    assert len(rights - principals(azure)) == 5
    kinds = {document["type"].partition("/")[2] for document in there(azure).values()}
    assert kinds == {"storageAccounts", "flexibleServers", "vaults", "registries", "publicIPAddresses"}

    azure.forget()
    platform.run(**more)
    # The vault's password is the server's still.
    assert passwords(azure) == [password]
    assert f"PUT {HERE}/providers/Microsoft.ContainerService/managedClusters/matcha-k8s" in since(azure).writes()

    foreign = put_elsewhere(platform.fact["tags"])
    platform.run(tasks=DESTROY)
    assert sorted(there(azure)) == sorted(each.lower() for each in foreign)
    assert all(each in platform.output for each in foreign)
    assert principals(azure) == {azure.simulator.owner.object_id}


def test_the_plan_for_an_empty_subscription(azure: Azure, platform: Platform) -> None:
    platform.run("--check", "--diff")
    assert since(azure).writes() == []
    assert there(azure) == {}
    for line in ("networkPolicy: cilium", "known once that is made", "subject: system:serviceaccount:mlflow:mlflow"):
        assert line in platform.output


def test_a_cluster_that_is_there_is_not_made(azure: Azure, platform: Platform, api: str) -> None:
    path = platform.folder / "kubeconfig"
    path.write_text(json.dumps(kubeconfig(api)))
    existing = {"matcha_cluster": "existing", "matcha_kubeconfig": str(path), "matcha_kube_context": "pot"}
    platform.run("--check", fails=True, **existing)
    assert "matcha_cluster=existing needs matcha_outbound_ip" in platform.output

    existing["matcha_outbound_ip"] = "192.0.2.9"
    Api.enforcer = "nothing-known"
    platform.run("--check", fails=True, **existing)
    assert "matcha_allow_unenforced_network_policy=true" in platform.output

    Api.enforcer = "cilium"
    platform.run("--check", "--diff", **existing)
    assert "issuer: https://oidc.example/tea/" in platform.output
    assert "startIpAddress: 192.0.2.9" in platform.output
    assert "matcha-k8s" not in platform.output
    assert since(azure).writes() == []
