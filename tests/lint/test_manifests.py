# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles apply to a cluster: valid for every version that AKS serves, restricted, labelled and pinned."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import manifests
import pytest
from manifests import label, pod_template

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = ("1.35", "1.36", "1.37")
# Kinds of other people's definitions, which the package has no schema of.
FOREIGN: set[str] = set()
LABELS = {
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/managed-by",
    "matcha.mlops/deployment",
}
ALL = [(role, manifest) for role, found in manifests.rendered().items() for manifest in found]
# A claim finds the disk of a cluster that is gone.
DISK = {"capacity": {"storage": "32Gi"}, "csi": {"driver": "disk.csi.azure.com", "volumeHandle": "/subscriptions/x"}}
DEPLOYMENT = {**manifests.FACTS["matcha_deployment"], "recorded": {"chroma": {"volume": DISK}}}
RESTORED = manifests.rendered(matcha_deployment=DEPLOYMENT)["chroma"]


def servers() -> Iterator[tuple[str, dict[str, Any]]]:
    for role, manifest in ALL:
        if manifest["kind"] in {"Deployment", "StatefulSet"}:
            yield role, manifest


def pods(found: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the spec of everything that makes pods."""
    for _role, manifest in found:
        template = pod_template(manifest)
        if template:
            yield label(manifest), template["spec"]


def containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [*spec.get("initContainers", []), *spec["containers"]]


def unrestricted(spec: dict[str, Any]) -> list[str]:
    """Return what Pod Security "restricted" forbids in a pod's spec, in the standard's own order."""
    problems = [f"{field} is set" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    for volume in spec.get("volumes", []):
        problems += [f"a volume is a {kind}" for kind in set(volume) - {"name"} - allowed]
    outer = spec.get("securityContext", {})
    for container in containers(spec):
        own = container.get("securityContext", {})
        both = {**outer, **own}
        checks = {
            "may escalate": own.get("allowPrivilegeEscalation") is not False,
            "is privileged": bool(own.get("privileged")),
            "keeps capabilities": own.get("capabilities", {}).get("drop") != ["ALL"],
            "adds capabilities": bool(set(own.get("capabilities", {}).get("add", [])) - {"NET_BIND_SERVICE"}),
            "may be root": both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0,
            "has no seccomp profile": both.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"},
            "has a port of the host": any(port.get("hostPort") for port in container.get("ports", [])),
        }
        problems += [f"{container['name']} {what}" for what, true in checks.items() if true]
    return problems


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(version: str) -> None:
    for manifest in [*(manifest for _role, manifest in ALL), *RESTORED]:
        if manifest["kind"] not in FOREIGN:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_an_unknown_field_is_noticed() -> None:
    (service,) = (manifest for manifest in manifests.rendered()["mlflow"] if manifest["kind"] == "Service")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**service, "spec": {**service["spec"], "prot": 1}}, VERSIONS[0], strict=True)


@pytest.mark.parametrize("cluster", ["kubernetes", "openshift"])
def test_pods_are_restricted(cluster: str) -> None:
    rendered = manifests.rendered() if cluster == "kubernetes" else manifests.on_openshift()
    found = [(role, manifest) for role, parts in rendered.items() for manifest in parts]
    assert not [f"{name}: {problem}" for name, spec in pods(found) for problem in unrestricted(spec)]
    for name, spec in pods(found):
        assert not spec.get("automountServiceAccountToken", True) or name in {
            # The client of a Kubernetes orchestrator; the router asks which deployments there are.
            "Job matcha-zenml-workloads/verify-zenml",
            "Deployment seldon-system/seldon-router",
        }
        numbers = {key for key in ("runAsUser", "runAsGroup", "fsGroup") if key in spec["securityContext"]}
        assert bool(numbers) == (cluster == "kubernetes"), f"{name}: OpenShift chooses the user"


@pytest.mark.parametrize(
    "change",
    [
        {"hostNetwork": True},
        {"securityContext": {}},
        {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]},
        {"containers": [{"name": "open", "securityContext": {"allowPrivilegeEscalation": True}}]},
    ],
)
def test_what_is_not_restricted_is_noticed(change: dict[str, Any]) -> None:
    spec = next(spec for name, spec in pods(ALL) if name == "Deployment mlflow/mlflow")
    assert unrestricted(spec) == []
    assert unrestricted({**spec, **change})


def test_namespaces_enforce_it() -> None:
    standards = {
        manifest["metadata"]["name"]: manifest["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for _role, manifest in ALL
        if manifest["kind"] == "Namespace"
    }
    assert standards == {
        **dict.fromkeys(("zenml", "mlflow", "chroma", "matcha-zenml-workloads", "seldon-system"), "restricted"),
        # Seldon's operator makes pods that say nothing of capabilities.
        "matcha-seldon-workloads": "baseline",
    }


def test_pods_have_limits_and_a_file_system_that_is_only_read() -> None:
    for name, spec in pods(ALL):
        for container in containers(spec):
            resources = container["resources"]
            assert {"cpu", "memory"} <= resources["requests"].keys() & resources["limits"].keys(), name
            assert container["securityContext"]["readOnlyRootFilesystem"], name
            assert container["imagePullPolicy"] == "IfNotPresent", name
            variables = [each["name"] for each in container.get("env", [])]
            assert len(variables) == len({*variables}), f"{name}: {variables}"


def test_images_are_pinned() -> None:
    for name, spec in pods(ALL):
        for container in containers(spec):
            assert re.fullmatch(r"[\w./-]+:v?\d[\w.-]*", container["image"]), f"{name}: {container['image']}"


def test_objects_are_labelled() -> None:
    uuid = manifests.FACTS["matcha_deployment"]["matcha_uuid"]
    for _role, manifest in [*ALL, *(("chroma", manifest) for manifest in RESTORED)]:
        labels = manifest["metadata"].get("labels", {})
        assert labels.keys() >= LABELS, label(manifest)
        assert labels["matcha.mlops/deployment"] == uuid
        template = pod_template(manifest)
        assert not template or template["metadata"]["labels"].keys() >= LABELS, label(manifest)


def test_servers_are_probed_and_single_ones_are_named() -> None:
    budgets = [manifest["spec"]["selector"] for _role, manifest in ALL if manifest["kind"] == "PodDisruptionBudget"]
    for _role, manifest in servers():
        for container in manifest["spec"]["template"]["spec"]["containers"]:
            assert {"readinessProbe", "livenessProbe"} <= container.keys(), label(manifest)
        if manifest["spec"]["replicas"] == 1:
            assert manifest["metadata"]["annotations"]["matcha.mlops/single-replica"], label(manifest)
        else:
            assert manifest["spec"]["selector"] in budgets, label(manifest)


def test_selectors_are_what_their_pods_bear() -> None:
    for _role, manifest in servers():
        selector = manifest["spec"]["selector"]["matchLabels"]
        assert selector.items() <= manifest["spec"]["template"]["metadata"]["labels"].items(), label(manifest)
    for role, service in ALL:
        if service["kind"] == "Service":
            found = [
                manifest
                for _role, manifest in servers()
                if manifest["metadata"]["namespace"] == service["metadata"]["namespace"]
                and service["spec"]["selector"].items() <= manifest["spec"]["template"]["metadata"]["labels"].items()
            ]
            assert len(found) == 1, f"{role}: {label(service)}"


def test_no_manifest_holds_a_secret() -> None:
    assert not [label(manifest) for _role, manifest in ALL if manifest["kind"] == "Secret"]


def test_workload_identity_is_declared_by_the_pods() -> None:
    for name, identity in (("mlflow", "mlflow"), ("zenml", "zenml"), ("verify-dvc", "workloads")):
        spec = next(spec for full, spec in pods(ALL) if full.endswith(f"/{name}"))
        variables = {each["name"]: each.get("value") for each in spec["containers"][0]["env"]}
        assert variables["AZURE_CLIENT_ID"] == manifests.IDENTITIES[identity]["client_id"]
        assert variables["AZURE_FEDERATED_TOKEN_FILE"] == "/var/run/secrets/azure/tokens/azure-identity-token"
        (token,) = (volume["projected"] for volume in spec["volumes"] if "projected" in volume)
        assert token["sources"][0]["serviceAccountToken"]["audience"] == "api://AzureADTokenExchange"
        assert "AZURE_STORAGE_CONNECTION_STRING" not in variables


def test_mlflow_answers_to_every_name_it_is_called_by() -> None:
    spec = next(spec for name, spec in pods(ALL) if name == "Deployment mlflow/mlflow")
    variables = {each["name"]: each.get("value") for each in spec["containers"][0]["env"]}
    hosts = variables["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    assert {"mlflow.mlflow", "mlflow.mlflow.svc.cluster.local", "mlflow.mlflow.svc.cluster.local:80"} <= {*hosts}
    assert {"localhost:*", "127.0.0.1:*"} <= {*hosts}


def test_a_disk_of_an_earlier_cluster_is_used_again() -> None:
    (volume,) = (manifest for manifest in RESTORED if manifest["kind"] == "PersistentVolume")
    (claim,) = (manifest for manifest in RESTORED if manifest["kind"] == "PersistentVolumeClaim")
    assert volume["spec"]["csi"] == DISK["csi"]
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"]
    (fresh,) = (manifest for _role, manifest in ALL if manifest["kind"] == "PersistentVolumeClaim")
    assert "volumeName" not in fresh["spec"]


def test_the_database_is_given_the_new_password_that_is_pending() -> None:
    pending = ["mlflow-password", "mlflow-accounts-database-password"]
    assert manifests.value("mlflow", "kubernetes_database_files", kubernetes_pending=pending) == {
        "DATABASE_ADMIN_PASSWORD": "/nowhere/secrets/mysql-password",
        "PASSWORD_0": "/nowhere/secrets/mlflow-database-password",
        "PASSWORD_1": "/nowhere/secrets/mlflow-accounts-database-password.new",
    }


def test_every_key_of_a_secret_is_there() -> None:
    (secret,) = manifests.value("mlflow", "mlflow_kubernetes_secrets")
    for name, spec in pods(ALL):
        if " mlflow/" not in name:
            continue
        for container in containers(spec):
            for variable in container.get("env", []):
                reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
                assert reference.get("name") in {None, secret["name"]}, name
                assert not reference or reference["key"] in secret["files"], name
