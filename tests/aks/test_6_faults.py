# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that dies, and Azure where it fails: the next run carries on to the same end."""

from __future__ import annotations

import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import psutil
import pytest
from deployments import kill_controller, wait_until

from tests.aks.stack import Aks
from tests.simulator.faults import Faults

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.rehearsal.world import World

pytestmark = pytest.mark.one_of("whole stacks")
# The moments are chosen from as long as it takes, in seconds. A run that has ended by then is not killed.
PROVISION = 90
# A lease ends a minute after its holder, and what a dead run sent has arrived by then.
LEASE = 90
# What takes Azure long, as the script of faults knows it (of a vault only its name, which is tried until it is there).
SLOW = (
    "Microsoft.ContainerService/managedClusters PUT",
    "Microsoft.DBforMySQL/flexibleServers PUT",
    "Microsoft.Storage/storageAccounts PUT",
    "Microsoft.ContainerRegistry/registries PUT",
    "RegisterVaultDns",
    "Microsoft.Network/publicIPAddresses PUT",
)


def leased(deployment: Aks) -> bool:
    """Return whether somebody holds the lock."""
    account = deployment.resource("Microsoft.Storage/storageAccounts", f"{deployment.prefix}statestacc")
    if account is None:
        return False
    served = deployment.world.simulator.blobs._serve(account)
    state = served.azurite.send("HEAD", f"/{deployment.prefix}statestore/state.json", {}, sign=True)
    return state.header("x-ms-lease-state") == "leased"


def kill_after(deployment: Aks, process: subprocess.Popen[str], seconds: float) -> None:
    """Kill a run's controller some time after it began; nothing of it changes anything when its lease is free."""
    below = []
    # The moment is what is tested: any is right.
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        below = kill_controller(process)
    wait_until(lambda: not leased(deployment), "the lease is free", LEASE)
    deployment.forget()
    psutil.wait_procs([child for child in below if child.is_running()], 120)
    assert deployment.writes() == []


def created(deployment: Aks) -> Counter[str]:
    """Count how often each resource was made: a PUT that makes one is answered with 201 (or 202 by some)."""
    return Counter(
        each["path"].lower()
        for each in deployment.requests()
        if each["method"] == "PUT" and each["status"] == 201 and each["host"] == "management.azure.com"
    )


def finish(deployment: Aks) -> None:
    """Carry on, and be where an undisturbed run would be."""
    deployment.run("provision", matcha_lock_timeout=LEASE).ok()
    assert deployment.unready() == []
    deployment.forget()
    deployment.assert_converged()
    assert deployment.writes() == []


def test_killed_at_any_moment(empty: World, home: Path, rng: random.Random, full: bool) -> None:
    deployment = Aks.of(empty, home, "killed")
    deployment.stack = "llm" if full else "only-mlflow"
    for _round in range(10 if full else 1):
        begun = len(empty.log())
        moment = rng.uniform(1, PROVISION)
        print(f"kill -9 after {moment:.1f} s")
        kill_after(deployment, deployment.start("provision"), moment)
        finish(deployment)
        deployment._mark = begun
        assert max(created(deployment).values()) == 1, created(deployment).most_common(3)
        deployment.destroy().ok()


def test_each_slow_operation_fails_once(empty: World, home: Path) -> None:
    deployment = Aks.of(empty, home, "failing")
    deployment.stack = "only-mlflow"
    faults = Faults()
    for kind in SLOW:
        faults.add("operation_failed", path=f"^{kind} ")
    empty.simulator.faults = faults
    runs = 0
    try:
        while (ended := deployment.run("provision")).status:
            # It says so in a sentence.
            ended.failed()
            runs += 1
            assert runs <= len(SLOW), ended.output
    finally:
        empty.simulator.faults = Faults()
    assert {kind.split()[0] for _fault, kind, _resource in faults.happened} == {kind.split()[0] for kind in SLOW}
    finish(deployment)
    deployment.destroy().ok()
