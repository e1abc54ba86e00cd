# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what a user waits for, into build/bench.json. Run by ``make bench``; ``--rounds`` says how often (median)."""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from results import save

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from deployments import COMPONENTS, Deployment, made, new_home  # noqa: E402


def cpu_of_children() -> float:
    """Return the CPU seconds of all playbooks so far, with their modules."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def provision(deployment: Deployment) -> dict[str, float]:
    """Provision to all healthy; return the seconds, and the CPU seconds of the playbook and of the servers."""
    cpu, begin = cpu_of_children(), time.monotonic()
    deployment.run("provision").ok()
    seconds = time.monotonic() - begin
    times = [process.cpu_times() for process in deployment.processes()]
    servers = sum(used.user + used.system for used in times)
    return {"seconds": round(seconds, 2), "cpu_seconds": round(cpu_of_children() - cpu + servers, 2)}


def fresh(stack: str, **environment: str) -> dict[str, float]:
    """Provision a new deployment of a stack, and destroy it."""
    for deployment in made(new_home(), stack=stack, environment=environment):
        return provision(deployment)
    raise AssertionError


def median(stack: str, rounds: int) -> dict[str, float]:
    """Return the median of several fresh provisions."""
    found = [fresh(stack) for _round in range(rounds)]
    return {key: statistics.median(each[key] for each in found) for key in found[0]}


def memory(deployment: Deployment) -> float:
    """Return the memory that is a deployment's own, in MiB: what stopping it gives back (PSS)."""
    return round(sum(process.memory_full_info().pss for process in deployment.processes()) / 2**20)


def converged(rounds: int) -> dict[str, float]:
    """Measure a re-run that changes nothing, status, verification, and memory."""
    for deployment in made(new_home(), stack="llm"):
        deployment.run("provision").ok()
        found = []
        for _round in range(rounds):
            begin = time.monotonic()
            assert not deployment.run("provision").ok().changed
            found.append(time.monotonic() - begin)
        rest = memory(deployment)
        deployment.run("verify").ok()
        begin = time.monotonic()
        deployment.run("verify").ok()
        return {
            "converged_seconds": round(statistics.median(found), 2),
            "memory_mib": rest,
            "verify_seconds": round(time.monotonic() - begin, 2),
        }
    raise AssertionError


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured, for the median")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as cache:
        cold = fresh("llm", UV_CACHE_DIR=cache)
    warm = median("llm", rounds)
    alone = {name: median(f"only-{name}", rounds)["seconds"] for name in COMPONENTS}
    floor = max(*alone.values(), warm["cpu_seconds"] / (os.cpu_count() or 1))
    result = {
        "cores": os.cpu_count(),
        "rounds": rounds,
        "provision_cold_seconds": cold["seconds"],
        "provision_warm_seconds": warm["seconds"],
        "provision_warm_cpu_seconds": warm["cpu_seconds"],
        "alone_seconds": alone,
        "floor_seconds": round(floor, 2),
        "ratio": round(warm["seconds"] / floor, 3),
        **converged(rounds),
    }
    save("bench.json", result)


if __name__ == "__main__":
    main()
