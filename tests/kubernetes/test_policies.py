# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can talk to whom, computed from the network policies, is what docs/network.md says."""

from __future__ import annotations

import copy
import ipaddress
from dataclasses import dataclass, field
from typing import Any

import manifests
import pytest
from manifests import Manifest, pod_template

Labels = dict[str, str]
NAMES = "kubernetes.io/metadata.name"
# Of pods that are not in a manifest: their container's ports by name.
PORTS = {"webhook-server": 4443}


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod's namespace and labels, or an address outside; and the ports that are tried."""

    namespace: str = ""
    labels: Labels = field(default_factory=dict)
    address: str = ""
    ports: tuple[int, ...] = (22, 443)
    namespace_labels: Labels = field(default_factory=dict)


class Cluster:
    """The policies, namespaces and pods of the manifests."""

    def __init__(self, objects: list[Manifest]) -> None:
        self.policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
        self.namespaces = {
            each["metadata"]["name"]: each["metadata"]["labels"] for each in objects if each["kind"] == "Namespace"
        }
        self.pods = {}
        for each in objects:
            if template := pod_template(each):
                key = (each["metadata"]["namespace"], each["kind"], each["metadata"]["name"])
                self.pods[key] = template["metadata"]["labels"]

    def end(self, namespace: str, kind: str, name: str, *ports: int) -> End:
        return End(namespace, self.pods[namespace, kind, name], ports=(22, 443, *ports))

    def labels_of(self, namespace: str) -> Labels:
        # The API server labels every namespace with its name.
        return {**self.namespaces.get(namespace, {}), NAMES: namespace}

    def allows(self, here: End, there: End, port: int, direction: str) -> bool:
        """Tell whether ``here`` is allowed this by its own policies."""
        if here.address:
            return True
        about = [
            policy["spec"]
            for policy in self.policies
            if policy["metadata"]["namespace"] == here.namespace
            and selects(policy["spec"]["podSelector"], here.labels)
            and direction in policy["spec"]["policyTypes"]
        ]
        key, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
        rules = [rule for spec in about for rule in spec.get(key) or []]
        return not about or any(
            self.matches(rule.get(peers), there, here.namespace) and opens(rule.get("ports"), port) for rule in rules
        )

    def matches(self, peers: list[dict[str, Any]] | None, other: End, home: str) -> bool:
        """Tell whether one of a rule's peers is ``other``. No peers are all."""
        return not peers or any(self.is_peer(peer, other, home) for peer in peers)

    def is_peer(self, peer: dict[str, Any], other: End, home: str) -> bool:
        if "ipBlock" in peer:
            # As Cilium sees it, a pod is never a number.
            inside = other.address and ipaddress.ip_address(other.address)
            blocks = [peer["ipBlock"]["cidr"], *peer["ipBlock"].get("except", [])]
            hits = [bool(inside) and inside in ipaddress.ip_network(block) for block in blocks]
            return hits[0] and not any(hits[1:])
        if other.address:
            return False
        where = peer.get("namespaceSelector", {"matchLabels": {NAMES: home}})
        return selects(where, self.labels_of(other.namespace)) and selects(peer.get("podSelector", {}), other.labels)

    def connections(self, here: End, there: End) -> list[int]:
        """Return the ports that can be reached."""
        return [
            port
            for port in there.ports
            if self.allows(here, there, port, "Egress") and self.allows(there, here, port, "Ingress")
        ]


def selects(selector: dict[str, Any], labels: Labels) -> bool:
    tests = {
        "In": lambda key, values: labels.get(key) in values,
        "NotIn": lambda key, values: labels.get(key) not in values,
        "Exists": lambda key, _values: key in labels,
        "DoesNotExist": lambda key, _values: key not in labels,
    }
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        tests[each["operator"]](each["key"], each.get("values", [])) for each in selector.get("matchExpressions", [])
    )


def opens(ports: list[dict[str, Any]] | None, port: int) -> bool:
    return not ports or any(
        each.get("protocol", "TCP") == "TCP" and PORTS.get(each.get("port"), each.get("port")) in {None, port}
        for each in ports
    )


def everything() -> list[Manifest]:
    return copy.deepcopy([manifest for found in manifests.rendered().values() for manifest in found])


def ends(cluster: Cluster) -> dict[str, End]:
    pipelines = {"app.kubernetes.io/name": "matcha-zenml-workloads", "app.kubernetes.io/component": "pipeline"}
    return {
        "zenml": cluster.end("zenml", "Deployment", "zenml", 8080),
        "zenml's database jobs": cluster.end("zenml", "Job", "database-users"),
        "mlflow": cluster.end("mlflow", "Deployment", "mlflow", 5000),
        "mlflow's database jobs": cluster.end("mlflow", "Job", "database-users"),
        "chroma": cluster.end("chroma", "StatefulSet", "chroma", 8000),
        "pipelines": End("matcha-zenml-workloads", pipelines),
        "verifications": cluster.end("matcha-zenml-workloads", "Job", "verify-mlflow"),
        "router": cluster.end("seldon-system", "Deployment", "seldon-router", 8080),
        "operator": End("seldon-system", {"control-plane": "seldon-controller-manager"}, ports=(22, 443, 4443)),
        "models": End("matcha-seldon-workloads", {"seldon-deployment-id": "tea"}, ports=(9000,)),
        "elsewhere": End("default", {"app": "tea"}),
        "names": End("kube-system", {"k8s-app": "kube-dns"}, ports=(53, 22)),
        "Azure": End(address="20.50.2.3", ports=(22, 80, 443, 3306, 6443)),
        "metadata": End(address="169.254.169.254", ports=(80,)),
    }


def computed(objects: list[Manifest]) -> dict[str, dict[str, str]]:
    """Return the matrix: sender, receiver, ports."""
    cluster = Cluster(objects)
    all_ends = ends(cluster)
    rows, columns = table()

    def cell(row: str, column: str) -> str:
        # What others do among themselves and outside is not ours to say.
        if row == "elsewhere" and column in {"elsewhere", "names", "Azure", "metadata"}:
            return "?"
        return " ".join(map(str, cluster.connections(all_ends[row], all_ends[column])))

    return {row: {column: cell(row, column) for column in columns} for row in rows}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def documented() -> dict[str, dict[str, str]]:
    """Return the matrix of the documentation."""
    lines = (manifests.ROOT / "docs" / "network.md").read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| from"))
    columns = cells(lines[start])[1:]
    found = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        row, *values = cells(line)
        found[row] = dict(zip(columns, values, strict=True))
    return found


def table() -> tuple[list[str], list[str]]:
    known = documented()
    return list(known), list(next(iter(known.values())))


def test_who_can_talk_to_whom_is_documented() -> None:
    assert computed(everything()) == documented()


def test_the_table_has_every_pod_of_the_manifests() -> None:
    cluster = Cluster(everything())
    known = {(end.namespace, tuple(sorted(end.labels.items()))) for end in ends(cluster).values()}
    missing = [key for key, labels in cluster.pods.items() if (key[0], tuple(sorted(labels.items()))) not in known]
    # The client's pods are all alike.
    assert not [key for key in missing if key[0] != "matcha-zenml-workloads"]


def relabel(objects: list[Manifest], kind: str, name: str, key: str) -> None:
    """Break one label of what makes the pods."""
    (found,) = (each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name)
    (pod_template(found) or found)["metadata"]["labels"][key] = "broken"


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [
        ("Deployment", "mlflow", "app.kubernetes.io/name"),
        ("Deployment", "mlflow", "app.kubernetes.io/component"),
        ("Deployment", "zenml", "app.kubernetes.io/component"),
        ("StatefulSet", "chroma", "app.kubernetes.io/name"),
        ("Deployment", "seldon-router", "app.kubernetes.io/name"),
    ],
)
def test_a_broken_label_is_noticed(kind: str, name: str, key: str) -> None:
    objects = everything()
    relabel(objects, kind, name, key)
    assert computed(objects) != documented()


@pytest.mark.parametrize(
    "namespace", ["zenml", "mlflow", "chroma", "matcha-zenml-workloads", "matcha-seldon-workloads"]
)
def test_a_missing_default_is_noticed(namespace: str) -> None:
    objects = [
        each
        for each in everything()
        if each["kind"] != "NetworkPolicy"
        or (each["metadata"]["namespace"], each["metadata"]["name"]) != (namespace, "default-deny")
    ]
    # Pods that no policy is about are open. Ours all are selected by name, so look at one that is not.
    cluster = Cluster(objects)
    stranger = End(namespace, {"app": "stranger"})
    assert cluster.connections(End("default", {"app": "tea"}), stranger)


def test_policies_are_about_pods_that_exist() -> None:
    cluster = Cluster(everything())
    pods = [(end.namespace, end.labels) for end in ends(cluster).values()]
    for policy in cluster.policies:
        place = policy["metadata"]["namespace"]
        found = [labels for namespace, labels in pods if namespace == place]
        assert any(selects(policy["spec"]["podSelector"], labels) for labels in found), policy["metadata"]
