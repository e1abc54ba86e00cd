# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what one call costs on a simulated Azure where nothing is to do, into build/bench-azure.json.

Beside our own module: Ansible's ping, azure.azcollection and the Azure CLI, in turn, on the same simulator. Each figure
is the least of several rounds: what else a machine does can only add to it. Run by ``make bench``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results import at_most, save

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from clients.foreign import ROOT, Clients, Ended, environment_of  # noqa: E402
from simulator.simulator import LOGIN_HOST, running  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = {"resource_group": "tea"}
POOL = {"name": "default", "count": 1, "vm_size": "Standard_D4s_v5", "mode": "System"}
OURS = {
    **GROUP, "name": "ours", "location": "westeurope", "dns_prefix": "ours", "kubernetes_version": "1.36",
    "agent_pool_profiles": [POOL],
}  # fmt: skip
THEIRS = {
    **GROUP, "name": "theirs", "location": "westeurope", "dns_prefix": "theirs", "kubernetes_version": "1.36.2",
    "agent_pool_profiles": [{**POOL, "type": "VirtualMachineScaleSets"}],
}  # fmt: skip
PING: dict[str, Any] = {"ansible.builtin.ping": {}}


class Bench:
    """What is measured, on one simulator."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.controller, self.collection = ROOT / ".venv", environment_of("azcollection")
        collections = str(ROOT / "collections")
        self.calls: dict[str, Callable[..., Ended]] = {
            "ping": lambda **more: self.play(self.controller, PING, **more),
            "matcha.mlops.aks_cluster": lambda **more: self.play(
                self.controller, {"matcha.mlops.aks_cluster": OURS}, ANSIBLE_COLLECTIONS_PATH=collections, **more
            ),
            "azcollection's ping": lambda **more: self.play(self.collection, PING, **more),
            "azure.azcollection.azure_rm_aks": lambda **more: self.play(
                self.collection, {"azure.azcollection.azure_rm_aks": THEIRS}, **more
            ),
            "az aks show": lambda **_more: clients.az("aks", "show", "--resource-group", "tea", "--name", "ours"),
        }

    def play(self, venv: Path, task: dict[str, Any], **environment: str) -> Ended:
        return self.clients.playbook(venv, [task], **environment).ok()

    def prepare(self) -> None:
        """Make the clusters, and let every client compile and cache what it wants to."""
        self.clients.sign_in().ok()
        self.clients.az("group", "create", "--name", "tea", "--location", "westeurope").ok()
        for call in self.calls.values():
            call().ok()

    def round(self) -> dict[str, dict[str, Any]]:
        """Measure each call once."""
        found = {}
        for name, call in self.calls.items():
            before = len(self.clients.running.log())
            # Nothing to wait for: no sleep is shortened.
            ended = call(PYTHONPATH="").ok()
            assert "changed" not in ended.results, ended.out
            hosts = [each["host"] for each in self.clients.running.log()[before:]]
            found[name] = {
                "cpu_seconds": ended.cpu_seconds,
                "seconds": ended.seconds,
                "memory_mib": ended.memory_mib,
                "requests": sum(host != LOGIN_HOST for host in hosts),
                "sign_in_requests": hosts.count(LOGIN_HOST),
            }
        return found


def measure(rounds: int) -> dict[str, dict[str, Any]]:
    """Return the least of each figure."""
    with tempfile.TemporaryDirectory() as folder, running(speed=1200) as run:
        bench = Bench(Clients(run, Path(folder) / "clients"))
        bench.prepare()
        found = [bench.round() for _round in range(rounds)]
    return {
        name: {key: min(each[name][key] for each in found) for key in figures} for name, figures in found[0].items()
    }


def goals(found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Compare with what is wanted of a converged run."""
    ours, theirs = found["matcha.mlops.aks_cluster"], found["azure.azcollection.azure_rm_aks"]
    above = ours["cpu_seconds"] - found["ping"]["cpu_seconds"]
    theirs_above = theirs["cpu_seconds"] - found["azcollection's ping"]["cpu_seconds"]
    return [
        at_most("CPU seconds above ping", 1.0, above),
        at_most("requests beside the sign-in", 2, ours["requests"]),
        at_most("CPU above ping, as a share of azure.azcollection's", 0.25, above / theirs_above),
    ]


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    found = measure(parser.parse_args().rounds)
    save("bench-azure.json", {"calls": found, "goals": goals(found)})


if __name__ == "__main__":
    main()
