# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kill -9` of a playbook at any moment: the next run carries on, and the dead one changes nothing more."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import psutil
from deployments import COMPONENTS, kill_controller, lock_is_free, made, new_home, wait_until

if TYPE_CHECKING:
    import random

    from deployments import Deployment


# The moments are chosen from as long as it takes, in seconds. A run that has ended by then is not killed.
PROVISION, DESTROY = 25, 5


def kill_after(deployment: Deployment, process: subprocess.Popen[str], seconds: float) -> None:
    """Kill a run's controller some time after it began; check that the lock is free soon, and all is quiet then."""
    # The moment is what is tested: any is right.
    below = []
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        below = kill_controller(process)
    wait_until(lambda: lock_is_free(deployment), "the lock is free", 60)
    before = deployment.snapshot()
    # Whatever of it is still alive ends without changing anything.
    psutil.wait_procs([child for child in below if child.is_running() and child not in deployment.processes()], 60)
    assert deployment.snapshot() == before


def test_provision(rng: random.Random, full: bool) -> None:
    for deployment in made(new_home(), stack="llm"):
        for _round in range(10 if full else 1):
            moment = rng.uniform(0.5, PROVISION)
            print(f"kill -9 after {moment:.1f} s")
            kill_after(deployment, deployment.start("provision"), moment)
            deployment.run("provision").ok()
            deployment.assert_healthy(*COMPONENTS)
            assert not deployment.run("provision").ok().changed
            deployment.run("destroy", matcha_confirm=True).ok()


def test_destroy(rng: random.Random, full: bool) -> None:
    for deployment in made(new_home(), stack="llm" if full else "small"):
        for _round in range(10 if full else 2):
            deployment.run("provision").ok()
            moment = rng.uniform(0.5, DESTROY)
            print(f"kill -9 after {moment:.1f} s")
            kill_after(deployment, deployment.start("destroy", matcha_confirm=True), moment)
            if deployment.path.exists() and deployment.state.get("destroying"):
                deployment.run("provision").failed("run destroy.yml again")
            deployment.run("destroy", matcha_confirm=True).ok()
            assert not deployment.processes()
            assert not list(deployment.home.iterdir())
