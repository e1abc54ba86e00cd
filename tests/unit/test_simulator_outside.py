# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What joins the simulator to things that are real: a door for pods, operations that wait, disks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from ssl import create_default_context
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from simulator import keys
from simulator.arm import Request, ResourceId
from simulator.http import DirectServer
from simulator.providers.disks import DISKS, attach
from simulator.simulator import Outside, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = f"/subscriptions/{Simulator.subscription}/resourceGroups/tea"
ADDRESS = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/outbound"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    made = Simulator(instant=True)
    call(made, "PUT", GROUP, {"location": "westeurope"})
    yield made
    made.close()


def call(simulator: Simulator, method: str, path: str, body: Any = None) -> Any:
    raw = json.dumps(body).encode() if body is not None else b""
    request = Request(simulator, method, path, {"api-version": "2024-03-02"}, {}, raw, target=path, plain=True)
    return simulator.handle(request)


def test_a_pod_reaches_the_hosts_by_their_names(simulator: Simulator) -> None:
    server = DirectServer(simulator)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    context = create_default_context(cadata=keys.authority().cert_pem.bytes().decode())
    context.check_hostname = False

    def get(host: str, path: str) -> Any:
        request = urllib.request.Request(f"https://127.0.0.1:{server.server_address[1]}{path}")
        request.add_header("Host", host)
        # No proxy, whatever the environment says.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(request) as answer:
            return json.load(answer)

    try:
        found = get("login.microsoftonline.com", f"/{simulator.tenant}/.well-known/openid-configuration")
        assert found["issuer"] == f"https://sts.windows.net/{simulator.tenant}/"
        newer = get("login.microsoftonline.com", f"/{simulator.tenant}/v2.0/.well-known/openid-configuration")
        assert newer["issuer"] == f"https://login.microsoftonline.com/{simulator.tenant}/v2.0"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get("example.org", "/")
        # Nothing here is for those who show no token.
        with pytest.raises(urllib.error.HTTPError, match="401"):
            get("management.azure.com", "/subscriptions?api-version=2022-12-01")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert server.refused == ["example.org"]


class Slow(Outside):
    """Somebody who is not ready yet."""

    def __init__(self) -> None:
        self.ready = False
        self.seen: list[str] = []

    def begun(self, operation: Any) -> None:
        self.seen.append(f"begun {operation.kind}")

    def held(self, operation: Any) -> bool:
        del operation
        return not self.ready

    def ended(self, operation: Any) -> None:
        self.seen.append(f"ended {operation.status}")


def test_an_operation_ends_when_what_is_real_is_ready(simulator: Simulator) -> None:
    slow = simulator.outside = Slow()
    body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    call(simulator, "PUT", ADDRESS, body)
    assert call(simulator, "GET", ADDRESS).body["properties"]["provisioningState"] == "Updating"
    slow.ready = True
    assert call(simulator, "GET", ADDRESS).body["properties"]["provisioningState"] == "Succeeded"
    assert slow.seen == ["begun Microsoft.Network/publicIPAddresses PUT", "ended Succeeded"]


def test_a_disk_outlives_its_cluster_and_goes_with_its_group(simulator: Simulator) -> None:
    disk = ResourceId(f"{GROUP}/providers/{DISKS}/pvc-1")
    cluster = {
        "id": f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/tea",
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded", "resourceUID": "1", "nodeResourceGroup": "MC_tea"},
    }
    simulator.store.put(cluster["id"], cluster)
    attach(simulator, cluster, disk, 8, "Premium_LRS", {"team": "tea"})
    shown = call(simulator, "GET", str(disk)).body
    assert (shown["properties"]["diskState"], shown["tags"]) == ("Attached", {"team": "tea"})
    assert call(simulator, "DELETE", str(disk)).body["error"]["code"] == "OperationNotAllowed"
    simulator.store.delete(cluster["id"])
    assert call(simulator, "GET", str(disk)).body["properties"]["diskState"] == "Unattached"
    # Of another cluster, and all of it goes at once.
    simulator.store.put(cluster["id"], {**cluster, "properties": {**cluster["properties"], "resourceUID": "2"}})
    attach(simulator, simulator.store.get(cluster["id"]), disk, 8, "Premium_LRS", {})
    assert call(simulator, "DELETE", GROUP).status == 202
    call(simulator, "GET", "/subscriptions")
    assert simulator.store.all(DISKS) == []


SCRIPT = """
import os, signal, sys
from tests.simulator.guarded import Guarded
held = Guarded(["sleep", "600"], sys.stderr)
print(held.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_guarded_program_ends_with_a_killed_harness(root: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    pid = int(killed.stdout)
    try:
        psutil.Process(pid).wait(30)
    except psutil.NoSuchProcess:
        return
    assert not psutil.pid_exists(pid)
