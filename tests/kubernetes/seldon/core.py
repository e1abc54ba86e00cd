# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seldon Core for the test cluster: its operator built from its Go module, and a chart that stands for its own.

The module's release 1.17.1 is not to be had, so this is 1.16.0: the last before it that is. The definition of a
SeldonDeployment is that of 1.17.1, where ../shared has it. The executor is no module that is to be had: models are
served without one.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.kubernetes.binaries import UNDEBUGGED
from tests.kubernetes.caches import cached, key

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
DEFINITION = ROOT.parent / "shared" / "seldon" / "seldondeployments.crd.json.xz"
MODULE = "github.com/seldonio/seldon-core/operator"


def trouble() -> str:
    """Say why Seldon Core cannot be had on this machine; nothing if it can."""
    if not shutil.which("go"):
        return "Go was not found, with which Seldon's operator is built"
    if not DEFINITION.exists():
        return "the definition of a SeldonDeployment is missing: ../shared/seldon is not beside this checkout"
    return ""


def operator() -> Path:
    """Return the operator's program, which needs nothing beside it."""
    inputs = [(HERE / name).read_bytes() for name in ("go.mod", "go.sum")]
    version = subprocess.run(["go", "version"], check=True, capture_output=True).stdout
    return cached("seldon-operator", key(*inputs, version), _build) / "manager"


def _build(folder: Path) -> None:
    command = ["go", "build", "-mod=readonly", "-trimpath", *UNDEBUGGED, "-ldflags=-s -w"]
    command += ["-o", str(folder / "manager"), MODULE]
    subprocess.run(command, cwd=HERE, env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""}, check=True)


def chart(folder: Path, version: str = "") -> Path:
    """Lay the chart, under another version if told, into a folder with the definition that it installs; return it."""
    place = folder / "seldon-core-operator"
    shutil.copytree(HERE / "chart", place)
    if version:
        about = place / "Chart.yaml"
        about.write_text(re.sub(r"(?m)^version: .*", f"version: {version}", about.read_text("utf-8")), "utf-8")
    (place / "crd.json").write_bytes(lzma.decompress(DEFINITION.read_bytes()))
    return place


def images() -> dict[str, Path]:
    """Return the tar of the operator's image, by its name."""
    from tests.kubernetes.images.oci import from_scratch

    name = "docker.io/seldonio/seldon-core-operator:1.17.1"
    return {name: from_scratch(name, {"/manager": operator()}, ["/manager"], user="8888:8888")}
