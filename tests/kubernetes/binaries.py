# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of the test node: Kubernetes and CoreDNS, built from their Go modules, and what Debian packages.

Nothing is installed. The first time takes minutes of both cores and 3 GB of memory; then they lie in the cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.kubernetes.caches import cache_folder, cached, key
from tests.kubernetes.packages import ENVIRONMENT, packages

SOURCE = Path(__file__).parent / "node"
COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "coredns")
DEBIAN = (
    *("containerd", "runc", "containernetworking-plugins", "etcd-server", "iptables"),
    # What these are linked with.
    *("libseccomp2", "libxtables12", "libip4tc2", "libip6tc2", "libmnl0", "libnftnl11"),
    *("libnetfilter-conntrack3", "libnfnetlink0"),
)
# A quarter of a compiler's work is for debuggers.
UNDEBUGGED = ("-gcflags=all=-dwarf=false",)
IPTABLES = tuple(f"ip{version}tables{end}" for version in ("", "6") for end in ("", "-save", "-restore"))


class BuildError(RuntimeError):
    """Kubernetes could not be built."""


def version() -> str:
    """Return the version of Kubernetes that go.mod pins, as v1.2.3."""
    for line in (SOURCE / "go.mod").read_text("utf-8").splitlines():
        if line.split()[:1] == ["k8s.io/kubernetes"]:
            return line.split()[1]
    raise BuildError(f"{SOURCE / 'go.mod'} requires no k8s.io/kubernetes.")


def node_programs() -> Path:
    """Return the folder of Kubernetes' components, coredns and pod, which is built where it is missing."""
    return cached("node", _inputs(), _build)


def built() -> bool:
    """Tell whether that was done before."""
    return (cache_folder() / f"node-{_inputs()}").is_dir()


@cache
def _inputs() -> str:
    sources = [path for path in sorted(SOURCE.rglob("*")) if path.name in {"go.mod", "go.sum"} or path.suffix == ".go"]
    parts = [data for path in sources for data in (str(path.relative_to(SOURCE)), path.read_bytes())]
    return key(os.uname().machine, *parts)


def _build(folder: Path) -> None:
    if not shutil.which("go"):
        raise BuildError("go was not found: install Go, of the version that tests/kubernetes/node/go.mod names.")
    number = version()
    flags = {"gitVersion": number, "gitMajor": number[1:].split(".")[0], "gitMinor": number.split(".")[1]}
    values = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in flags.items())
    for name, package, linked in (("kubernetes", ".", values), ("pod", "./pod", "")):
        command = ["go", "build", "-buildvcs=false", *UNDEBUGGED, "-o", str(folder / name)]
        command += ["-ldflags", f"-s -w {linked}".strip(), package]
        environment = {**ENVIRONMENT, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
        result = subprocess.run(command, cwd=SOURCE, env=environment, capture_output=True, text=True, check=False)
        if result.returncode:
            raise BuildError(f"{name} could not be built from its Go modules: {result.stderr[-3000:]}")
    for component in COMPONENTS:
        (folder / component).symlink_to("kubernetes")


def debian_programs() -> Path:
    """Return the folder into which Debian's packages are unpacked."""
    return packages(DEBIAN)


def iptables(folder: Path, kind: str) -> None:
    """Give iptables' programs their usual names in a folder. The kind is nft or legacy."""
    program = debian_programs() / "usr" / "sbin" / f"xtables-{kind}-multi"
    folder.mkdir(parents=True, exist_ok=True)
    for name in IPTABLES:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(program)


def environment(*first: Path) -> dict[str, str]:
    """Return the environment in which the node's programs run, with these folders first in the path."""
    debian = debian_programs()
    libraries = [path for folder in ("lib", "usr/lib") for path in sorted((debian / folder).glob("*-linux-gnu*"))]
    extensions = [str(path / "xtables") for path in libraries if (path / "xtables").is_dir()]
    places = [*first, node_programs(), *(debian / name for name in ("usr/sbin", "usr/bin", "sbin", "bin"))]
    return {
        "HOME": "/root",
        "LC_ALL": "C",
        "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
        "PATH": ":".join([*map(str, places), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]),
        **({"XTABLES_LIBDIR": extensions[0]} if extensions else {}),
    }
