# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each of the node's daemons is started with: files of configuration, and command lines."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.kubernetes.binaries import debian_programs
from tests.kubernetes.layout import (
    ADDRESS,
    DNS_SERVICE,
    DOMAIN,
    ISSUER,
    NODE,
    NODE_PODS,
    PAUSE,
    PODS,
    PORT,
    SERVICES,
    Layout,
)
from tests.kubernetes.pki import Pki

if TYPE_CHECKING:
    from pathlib import Path

DNS_PORTS = (("dns", "UDP"), ("dns-tcp", "TCP"))
LABELS = {
    "agentpool": "system",
    "kubernetes.azure.com/agentpool": "system",
    "kubernetes.azure.com/mode": "system",
    "topology.kubernetes.io/region": "eastus",
    "topology.kubernetes.io/zone": "eastus-1",
}


@dataclass
class Settings:
    """What a harness chooses."""

    issuer: str = ISSUER
    authentication_config: str | None = None
    hosts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Components:
    """The daemons of one boot."""

    layout: Layout
    settings: Settings
    containerd_root: Path
    cgroup: str

    @property
    def pki(self) -> Pki:
        return Pki(self.layout.pki)

    def commands(self) -> dict[str, list[str]]:
        """Return each daemon's command line, in the order in which they are started."""
        config = self.layout.config
        return {
            "etcd": self.etcd(),
            "containerd": ["containerd", "--config", str(config / "containerd.toml")],
            "coredns": ["coredns", "-conf", str(config / "Corefile")],
            "kube-apiserver": self.apiserver(),
            "kube-controller-manager": self.controller_manager(),
            "kube-scheduler": [
                "kube-scheduler",
                *self.kubeconfigs("kube-scheduler"),
                *("--leader-elect=false", "--bind-address=127.0.0.1"),
            ],
            "kubelet": self.kubelet(),
            "kube-proxy": self.proxy(),
        }

    def write(self) -> None:
        """Write every file that those command lines name."""
        config, server = self.layout.config, f"https://{ADDRESS}:{PORT}"
        for user in ("admin", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet"):
            self.pki.kubeconfig(user, server, config / f"{user}.kubeconfig")
        (config / "containerd.toml").write_text(self.containerd(), "utf-8")
        (config / "cni").mkdir(exist_ok=True)
        (config / "cni" / "10-bridge.conflist").write_text(json.dumps(self.cni()), "utf-8")
        (config / "kubelet.json").write_text(json.dumps(self.kubelet_config()), "utf-8")
        (config / "resolv.conf").write_text(f"nameserver {ADDRESS}\n", "utf-8")
        self.write_names()

    def write_names(self) -> None:
        """Write what depends on the names that the harness gives, which it may change at any time."""
        known = {name: address for name, address in self.settings.hosts.items() if not name.startswith("*")}
        lines = ["127.0.0.1 localhost", f"{ADDRESS} {NODE}", *(f"{value} {name}" for name, value in known.items())]
        # The file is bound into the node, so it has to stay the same one.
        (self.layout.config / "hosts").write_text("\n".join(lines) + "\n", "utf-8")
        (self.layout.config / "Corefile").write_text(self.corefile(), "utf-8")

    def corefile(self) -> str:
        """Names of the cluster, names of the harness, and nothing else: there is no way out of the node."""
        given = []
        for name, address in self.settings.hosts.items():
            zone = name.removeprefix("*.")
            # Of a name with a star, all below it; else the name alone.
            match = r"^.+\." if name.startswith("*.") else "^"
            match += zone.replace(".", r"\.") + r"\.$"
            answer = f'answer "{{{{ .Name }}}} 5 IN A {address}"'
            given.append(f"  template IN A {zone} {{\n    match {match}\n    {answer}\n    fallthrough\n  }}")
            given.append(f"  template IN AAAA {zone} {{\n    match {match}\n    rcode NOERROR\n    fallthrough\n  }}")
        cluster = f"{DOMAIN}:53 in-addr.arpa:53 ip6.arpa:53"
        source = f"kubeconfig {self.layout.config / 'admin.kubeconfig'}"
        return "\n".join(
            [
                f"{cluster} {{\n  bind {ADDRESS}\n  errors\n  kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{",
                f"    {source}\n    pods verified\n    ttl 5\n  }}\n}}",
                f".:53 {{\n  bind {ADDRESS}\n  errors\n  ready 127.0.0.1:8181",
                *given,
                "  template ANY ANY . {\n    rcode NXDOMAIN\n  }\n}",
                "",
            ]
        )

    def kubeconfigs(self, user: str) -> list[str]:
        path = self.layout.config / f"{user}.kubeconfig"
        return [f"--{option}kubeconfig={path}" for option in ("", "authentication-", "authorization-")]

    def etcd(self) -> list[str]:
        clients, peers = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
        return [
            *("etcd", "--data-dir", str(self.layout.etcd), "--unsafe-no-fsync", "--logger=zap"),
            *("--listen-client-urls", clients, "--advertise-client-urls", clients),
            *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
            *("--initial-cluster", f"default={peers}"),
        ]

    def apiserver(self) -> list[str]:
        pki, issuer = self.pki.folder, self.settings.issuer
        options = [
            f"--advertise-address={ADDRESS}",
            "--allow-privileged=true",
            "--authorization-mode=Node,RBAC",
            f"--client-ca-file={self.pki.ca}",
            "--enable-admission-plugins=NodeRestriction",
            "--etcd-servers=http://127.0.0.1:2379",
            f"--kubelet-client-certificate={pki / 'apiserver-kubelet.crt'}",
            f"--kubelet-client-key={pki / 'apiserver-kubelet.key'}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--secure-port={PORT}",
            f"--service-account-issuer={issuer}",
            f"--service-account-key-file={pki / 'accounts.key'}",
            f"--service-account-signing-key-file={pki / 'accounts.key'}",
            f"--service-cluster-ip-range={SERVICES}",
            f"--tls-cert-file={pki / 'apiserver.crt'}",
            f"--tls-private-key-file={pki / 'apiserver.key'}",
        ]
        if issuer != ISSUER:
            options.append(f"--service-account-jwks-uri={issuer.rstrip('/')}/openid/v1/jwks")
        if self.settings.authentication_config:
            options.append(f"--authentication-config={self.settings.authentication_config}")
        return ["kube-apiserver", *options]

    def controller_manager(self) -> list[str]:
        pki = self.pki.folder
        return [
            "kube-controller-manager",
            *self.kubeconfigs("kube-controller-manager"),
            "--allocate-node-cidrs=true",
            "--bind-address=127.0.0.1",
            f"--cluster-cidr={PODS}",
            f"--cluster-signing-cert-file={self.pki.ca}",
            f"--cluster-signing-key-file={pki / 'ca.key'}",
            "--leader-elect=false",
            f"--root-ca-file={self.pki.ca}",
            f"--service-account-private-key-file={pki / 'accounts.key'}",
            f"--service-cluster-ip-range={SERVICES}",
            "--use-service-account-credentials=true",
        ]

    def kubelet(self) -> list[str]:
        labels = ",".join(f"{name}={value}" for name, value in LABELS.items())
        return [
            "kubelet",
            f"--config={self.layout.config / 'kubelet.json'}",
            f"--kubeconfig={self.layout.config / 'kubelet.kubeconfig'}",
            f"--hostname-override={NODE}",
            f"--node-ip={ADDRESS}",
            f"--node-labels={labels}",
            f"--root-dir={self.layout.kubelet}",
            f"--cert-dir={self.layout.pki / 'kubelet'}",
        ]

    def kubelet_config(self) -> dict[str, Any]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {"x509": {"clientCAFile": str(self.pki.ca)}, "anonymous": {"enabled": False}},
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.cgroup}",
            "clusterDNS": [DNS_SERVICE],
            "clusterDomain": DOMAIN,
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            # The disk is everybody's; what it has left is no reason to end pods.
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
            "failCgroupV1": False,
            "failSwapOn": False,
            "imageGCHighThresholdPercent": 100,
            "maxPods": 110,
            "nodeStatusUpdateFrequency": "5s",
            "podLogsDir": str(self.layout.logs / "pods"),
            "resolvConf": str(self.layout.config / "resolv.conf"),
            "shutdownGracePeriod": "0s",
            "volumeStatsAggPeriod": "0s",
        }

    def proxy(self) -> list[str]:
        return [
            *("kube-proxy", f"--kubeconfig={self.layout.config / 'kube-proxy.kubeconfig'}"),
            *(f"--hostname-override={NODE}", f"--cluster-cidr={PODS}", "--proxy-mode=iptables"),
            # These belong to the whole machine.
            *("--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0"),
            "--conntrack-tcp-timeout-close-wait=0",
        ]

    def cni(self) -> dict[str, Any]:
        ipam = {"type": "host-local", "ranges": [[{"subnet": NODE_PODS}]], "routes": [{"dst": "0.0.0.0/0"}]}
        bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True}
        plugins = [{**bridge, "ipam": ipam}, {"type": "portmap", "capabilities": {"portMappings": True}}]
        return {"cniVersion": "1.0.0", "name": "test", "plugins": plugins}

    def containerd(self) -> str:
        return f"""version = 2
root = "{self.containerd_root}"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # Without the right to lower it, no pod would start.
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{debian_programs() / "usr" / "lib" / "cni"}"
  conf_dir = "{self.layout.config / "cni"}"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
"""


def first_objects() -> list[dict[str, Any]]:
    """List what AKS has in a new cluster and a bare one has not."""
    disk = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "disk.csi.azure.com"}
    disk |= {"reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": True}
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    classes = [
        {**disk, "metadata": {"name": "default", "annotations": default}, "parameters": {"skuname": "StandardSSD_LRS"}},
        {**disk, "metadata": {"name": "managed-csi"}, "parameters": {"skuname": "StandardSSD_LRS"}},
        {**disk, "metadata": {"name": "managed-csi-premium"}, "parameters": {"skuname": "Premium_LRS"}},
    ]
    labels = {"k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"}
    metadata = {"name": "kube-dns", "namespace": "kube-system", "labels": labels}
    ports = [
        {"name": name, "port": 53, "protocol": protocol} for name, protocol in (("dns", "UDP"), ("dns-tcp", "TCP"))
    ]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
    service["spec"] = {"clusterIP": DNS_SERVICE, "ports": ports}
    owner = {"kubernetes.io/service-name": "kube-dns"}
    endpoints = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": ports}
    endpoints["metadata"] = {"name": "kube-dns-node", "namespace": "kube-system", "labels": owner}
    endpoints["endpoints"] = [{"addresses": [ADDRESS], "conditions": {"ready": True}}]
    return [*classes, service, endpoints]
