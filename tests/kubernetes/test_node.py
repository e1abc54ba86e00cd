# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test node itself: it boots, pods run and find names, a reboot loses nothing, and nothing of it is left behind."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes
import pytest

from tests.kubernetes import binaries
from tests.kubernetes.cluster import Cluster, needed, running
from tests.kubernetes.images.oci import from_scratch
from tests.kubernetes.processes import NodeError, wait_for
from tests.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

WEB = "web.default.svc.cluster.local"
IMAGE = "registry.test/pod:1"
TIMEOUT = 180
NEW = "10.224.0.102"
ISSUER = "https://eastus.oic.test/tenant/cluster/"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    needed()
    with running(
        tmp_path_factory.mktemp("node"), {"*.blob.test": "10.224.0.100", "login.test": "10.224.0.101"}
    ) as found:
        found.import_image(pod_image())
        yield found


def pod_image() -> Path:
    return from_scratch(IMAGE, {"/pod": binaries.node_programs() / "pod"}, ["/pod", "serve", ":8080"])


class Objects:
    """What these tests do with the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        configuration = kubernetes.client.Configuration()
        kubernetes.config.load_kube_config(str(cluster.kubeconfig), client_configuration=configuration)
        configuration.proxy = None
        self.api = kubernetes.client.ApiClient(configuration)
        self.core = kubernetes.client.CoreV1Api(self.api)
        self.apps = kubernetes.client.AppsV1Api(self.api)

    def create(self, *definitions: dict[str, Any]) -> None:
        for definition in definitions:
            kubernetes.utils.create_from_dict(self.api, definition)

    def pod(self, name: str) -> Any:
        return self.core.read_namespaced_pod(name, "default")

    def is_ready(self, name: str) -> bool:
        try:
            conditions = self.pod(name).status.conditions or []
        except kubernetes.client.ApiException:
            return False
        return any(one.type == "Ready" and one.status == "True" for one in conditions)

    def wait_ready(self, name: str) -> Any:
        wait_for(lambda: self.is_ready(name), f"pod {name}", TIMEOUT)
        return self.pod(name)

    def ask(self, cluster: Cluster, name: str, path: str, body: bytes | None = None) -> str:
        """Ask the program in a pod."""
        port = cluster.relay_out(self.pod(name).status.pod_ip, 8080)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}{path}", body, timeout=20) as answer:
            return str(answer.read().decode().strip())

    def asked(self, cluster: Cluster, name: str, path: str) -> str:
        """Ask, and return what went wrong if something did."""
        try:
            return self.ask(cluster, name, path)
        except urllib.error.HTTPError as error:
            return error.read().decode().strip()


@pytest.fixture
def objects(cluster: Cluster) -> Objects:
    return Objects(cluster)


def pod(name: str, claim: str | None = None, labels: dict[str, str] | None = None) -> dict[str, Any]:
    mounts = [{"name": "data", "mountPath": "/data"}] if claim else []
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}] if claim else []
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    container = {"name": "pod", "image": IMAGE, "volumeMounts": mounts, "readinessProbe": probe}
    spec = {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 1}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {"app": name}},
        "spec": spec,
    }


def service(name: str) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": ports},
    }


def claim(name: str, storage_class: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class}
    spec["resources"] = {"requests": {"storage": "1Gi"}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def retaining(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "disk.csi.azure.com",
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def test_pods_are_ready_and_find_each_other_and_the_names_of_the_harness(cluster: Cluster, objects: Objects) -> None:
    objects.create(pod("web"), pod("client"), service("web"))
    web = objects.wait_ready("web")
    objects.wait_ready("client")

    assert objects.ask(cluster, "client", f"/lookup?name={WEB}").startswith("10.0.")
    # The service's address leads to the pod as soon as kube-proxy has heard of it.
    wait_for(lambda: objects.asked(cluster, "client", "/get?url=http://web") == "web", "the service", TIMEOUT)
    # A pod reaches itself by its service too.
    assert objects.ask(cluster, "web", f"/get?url=http://{WEB}") == "web"
    assert objects.ask(cluster, "client", "/lookup?name=a.blob.test") == "10.224.0.100"
    assert objects.ask(cluster, "client", "/lookup?name=login.test") == "10.224.0.101"
    assert web.status.host_ip == "10.224.0.4"
    for unknown in ("blob.test", "a.login.test", "example.org"):
        assert "no such host" in objects.asked(cluster, "client", f"/lookup?name={unknown}")


def test_a_pod_reaches_a_server_of_the_harness_and_no_other(cluster: Cluster, objects: Objects) -> None:
    objects.create(pod("guest"))
    objects.wait_ready("guest")
    with serving(lambda request: (200, f"you asked {request.path}")) as url:
        cluster.relay_in(int(url.rpartition(":")[2]), "10.224.0.101", 80)
        assert objects.ask(cluster, "guest", "/get?url=http://login.test/tea") == "you asked /tea"
        assert "connection refused" in objects.asked(cluster, "guest", f"/get?url={url}")


def test_names_can_be_changed_while_it_runs(cluster: Cluster, objects: Objects) -> None:
    objects.create(pod("asking"))
    objects.wait_ready("asking")
    cluster.hosts({"*.blob.test": "10.224.0.100", "login.test": "10.224.0.101", "new.test": NEW})
    wait_for(lambda: objects.asked(cluster, "asking", "/lookup?name=new.test") == NEW, "the new name", TIMEOUT)


def test_it_is_as_strict_as_aks(cluster: Cluster, objects: Objects) -> None:
    objects.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "strict", "labels": RESTRICTED}})
    with pytest.raises(kubernetes.utils.FailToCreateError, match="violates PodSecurity"):
        kubernetes.utils.create_from_dict(objects.api, pod("root"), namespace="strict")
    node = objects.core.list_node().items[0]
    assert node.status.node_info.kubelet_version == cluster.version
    assert node.metadata.labels["kubernetes.azure.com/agentpool"] == "system"
    version = kubernetes.client.VersionApi(objects.api).get_code()
    assert version.git_version == cluster.version


RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def test_the_keys_of_service_accounts_are_those_that_the_cluster_publishes(cluster: Cluster, objects: Objects) -> None:
    published = kubernetes.client.OpenidApi(objects.api).get_service_account_issuer_open_id_keyset()
    assert json.loads(published.replace("'", '"')) == cluster.oidc_keys


def test_a_reboot_loses_nothing(cluster: Cluster, objects: Objects) -> None:
    objects.create(claim("kept", "managed-csi"), pod("keeper", "kept"))
    objects.wait_ready("keeper")
    objects.ask(cluster, "keeper", "/write?path=/data/tea", b"sencha")
    before = objects.pod("keeper").metadata.uid
    with serving(lambda request: (200, f"you asked {request.path}")) as url:
        cluster.relay_in(int(url.rpartition(":")[2]), "10.224.0.103", 80)
        cluster.stop()
        assert cluster.status() == {}
        with pytest.raises(NodeError, match="stopped: start it first"):
            cluster.images()
        cluster.start()
        wait_for(lambda: _restarted(objects, "keeper"), "the pod to be restarted", TIMEOUT)
        objects.wait_ready("keeper")
        assert objects.ask(cluster, "keeper", "/get?url=http://10.224.0.103/tea") == "you asked /tea"
    assert objects.pod("keeper").metadata.uid == before
    assert objects.ask(cluster, "keeper", "/read?path=/data/tea") == "sencha"
    assert IMAGE in cluster.images()


def _restarted(objects: Objects, name: str) -> bool:
    statuses = objects.pod(name).status.container_statuses
    return bool(statuses) and statuses[0].restart_count > 0 and statuses[0].ready


def test_a_claims_folder_is_removed_with_it_unless_its_class_retains(cluster: Cluster, objects: Objects) -> None:
    objects.create(retaining("retains"))
    objects.create(claim("goes", "managed-csi"), pod("goer", "goes"), claim("stays", "retains"), pod("stayer", "stays"))
    places = {}
    for name, wanted in (("stayer", "stays"), ("goer", "goes")):
        objects.wait_ready(name)
        volume = objects.core.read_namespaced_persistent_volume_claim(wanted, "default").spec.volume_name
        places[wanted] = cluster.volumes / volume
        assert places[wanted].is_dir()
        objects.core.delete_namespaced_pod(name, "default")
        objects.core.delete_namespaced_persistent_volume_claim(wanted, "default")
        if wanted == "stays":
            wait_for(lambda name=volume: _phase(objects, name) == "Released", "the volume to be let go", TIMEOUT)
    wait_for(lambda: not places["goes"].exists(), "the folder to be removed", TIMEOUT)
    assert places["stays"].is_dir()


def _phase(objects: Objects, volume: str) -> str:
    return str(objects.core.read_persistent_volume(volume).status.phase)


def test_a_fresh_cluster_has_nothing_of_the_old_one_but_its_volumes(cluster: Cluster, objects: Objects) -> None:
    objects.create(pod("old"))
    objects.wait_ready("old")
    (cluster.volumes / "disk").mkdir()
    server = cluster.server
    cluster.reset(issuer=ISSUER)
    assert [one.metadata.name for one in objects.core.list_namespaced_pod("default").items] == []
    assert (cluster.volumes / "disk").is_dir()
    assert cluster.server == server
    assert IMAGE in cluster.images()
    objects.create(pod("new"))
    objects.wait_ready("new")
    found = kubernetes.client.WellKnownApi(objects.api).get_service_account_issuer_open_id_configuration()
    assert ISSUER in found
    assert f"{ISSUER}openid/v1/jwks" in found
