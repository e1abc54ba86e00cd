# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long the role ``platform`` takes over Azure's own critical path, into build/bench-platform.json.

On a simulated Azure whose clock runs as the real one does, so this takes some seven minutes. The critical path is what
no client can go below: a server's operations one after another, since Azure refuses two at once, or a cluster after
the address that it is made with. What else Azure makes one wait for (rights that take a while to work) is not in it.
Run by ``make bench``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections import defaultdict
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results import at_most, save

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "collections"), str(ROOT / "tests")]

from modules.test_platform import Api, Platform, kubeconfig  # noqa: E402
from simulator.simulator import running  # noqa: E402

if TYPE_CHECKING:
    from simulator.simulator import Simulator

GOAL = 1.05
CLUSTER, ADDRESS = "managedclusters", "publicipaddresses"
# What the role `stack` makes for itself comes before.
STATE = "statestacc"


def critical_path(simulator: Simulator) -> dict[str, float]:
    """Return the seconds of the longest chain that ends in each type of resource."""
    chains: dict[str, float] = defaultdict(float)
    for operation in simulator.operations._all.values():
        kind, _slash, name = operation.resource.lower().partition("/providers/")[2].partition("/")[2].partition("/")
        # What is no resource of a type is the group.
        if name and STATE not in name:
            chains[f"{kind}/{name.partition('/')[0]}"] += operation.ends - operation.started
    longest: dict[str, float] = defaultdict(float)
    for chain, seconds in chains.items():
        kind = chain.partition("/")[0]
        longest[kind] = max(longest[kind], seconds)
    longest[CLUSTER] += longest[ADDRESS]
    return {kind: round(seconds, 1) for kind, seconds in longest.items()}


def wall(simulator: Simulator) -> float:
    """Return the seconds from the role's first request to its last, by the simulator's log."""
    asked = [
        each
        for each in simulator.log
        if each["host"] == "management.azure.com" and STATE not in each["path"] and "/providers/" in each["path"]
    ]
    first = next(each for each in asked if each["method"] == "PUT" and "roleAssignments" not in each["path"])
    return float(asked[-1]["time"] - first["time"])


def measure() -> dict[str, Any]:
    """Make a platform from nothing."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, running(speed=1) as run:
        for name in [name for name in os.environ if name.startswith("AZURE_")]:
            del os.environ[name]
        os.environ.update(run.environment)
        run.simulator.kubeconfig_for = lambda _cluster: kubeconfig(f"http://127.0.0.1:{server.server_port}")
        Platform(Path(folder)).run()
        path, seconds = critical_path(run.simulator), wall(run.simulator)
    server.shutdown()
    share = seconds / max(path.values())
    return {
        "critical_path_seconds": path,
        "wall_seconds": round(seconds, 1),
        "goals": [at_most("wall time over the critical path", GOAL, share)],
    }


def main() -> None:
    """Measure, write and print."""
    save("bench-platform.json", measure())


if __name__ == "__main__":
    main()
