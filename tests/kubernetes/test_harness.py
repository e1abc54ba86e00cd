# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What surrounds the test node: nothing of it is left behind, images are imported once, another cluster is taken."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.kubernetes import cgroups
from tests.kubernetes.cluster import ROOT, VARIABLE, NodeNeeded, needed, running
from tests.kubernetes.layout import alive
from tests.kubernetes.processes import NodeError, wait_for
from tests.kubernetes.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 180
HARNESS = """
import sys
from pathlib import Path
from tests.kubernetes.cluster import running
with running(Path(sys.argv[1])) as cluster:
    print("up", flush=True)
    sys.stdin.read()
"""


@contextmanager
def harness(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a harness of its own, which waits to be ended."""
    command = [sys.executable, "-c", HARNESS, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "up\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("victim", ["harness", "keeper"])
def test_nothing_is_left_of_a_node_whose_harness_or_keeper_was_killed(victim: str) -> None:
    needed()
    # Not pytest's: a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="node-"))
    with harness(folder) as process:
        keeper = json.loads((folder / "state.json").read_text("utf-8"))["pid"]
        node = psutil.Process(keeper).children(recursive=True)
        assert {"kubelet", "etcd", "containerd"} <= {one.name() for one in node}
        os.kill(process.pid if victim == "harness" else keeper, signal.SIGKILL)
        wait_for(lambda: not alive(keeper), "the keeper to end", TIMEOUT)
        _gone, left = psutil.wait_procs(node, timeout=TIMEOUT)
        assert left == []
    # A killed keeper cannot tidy up; the next one does.
    cgroups.sweep()
    assert [path for one in cgroups.hierarchies() for path in one.glob(f"{cgroups.PREFIX}{keeper}")] == []
    assert str(folder) not in open("/proc/mounts", encoding="utf-8").read()  # noqa: SIM115
    shutil.rmtree(folder)


class Imports:
    """As much of a node as the store asks: every archive is an image called tea."""

    def __init__(self) -> None:
        self.archives: list[str] = []

    def run(self, command: list[str]) -> str:
        if "import" not in command:
            return "tea\n"
        self.archives.append(Path(command[-1]).name)
        return "unpacking tea (sha256:0)...done\n"


def test_an_image_is_imported_once_and_again_after_another_took_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    store, node = Store(tmp_path / "own"), Imports()
    for name in ("old", "old", "new", "new", "old"):
        archive = tmp_path / name
        if not archive.exists():
            archive.write_text(name, "utf-8")
        assert store.load(node, archive) == ["tea"]  # type: ignore[arg-type]
    assert node.archives == ["old", "new", "old"]


def test_two_nodes_at_once_share_no_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first, second = Store(tmp_path / "first"), Store(tmp_path / "second")
    assert (first.root, second.root) == (tmp_path / "matcha.mlops" / "containerd", tmp_path / "second")


def test_an_existing_cluster_is_taken_in_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.kubernetes.cluster.EXISTING", str(tmp_path / "config"))
    with running() as cluster:
        assert cluster.kubeconfig == tmp_path / "config"
        with pytest.raises(NodeNeeded, match=f"{VARIABLE} names a cluster"):
            cluster.stop()


def test_what_a_machine_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(NodeNeeded, match="needs root"):
        needed()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(NodeError, match="needs root"):
        needed()
