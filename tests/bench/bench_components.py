# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long the components take side by side over the slowest of them alone, into build/bench-components.json.

On a rehearsal: a simulated Azure, and a real cluster on this machine, whose cores all components share. Each is
installed alone first, then all at once on a new deployment. ZenML, which is the slowest, comes first when alone: so it
waits for the new platform in both. Run by ``make bench``.
"""

from __future__ import annotations

import re
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from results import at_most, save

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "collections"), str(ROOT / "tests")]

from deployments import COMPONENTS  # noqa: E402

from tests.aks.stack import Aks  # noqa: E402
from tests.rehearsal.world import rehearsal  # noqa: E402

GOAL = 1.25
BEGIN, END = "PLAY [Install the components of the stack side by side]", "PLAY [Report]"
# As ansible-core begins each line of ANSIBLE_LOG_PATH.
LINE = re.compile(r"^(\S+ \S+) p=\d+ [^|]*\| (.*)")


def seconds(log: str) -> dict[str, float]:
    """Return the seconds from the beginning of the components' play to the last word of each of them."""
    begun: datetime | None = None
    found: dict[str, float] = {}
    for line in log.splitlines():
        if not (match := LINE.match(line)):
            continue
        if match[2].startswith(BEGIN):
            begun = datetime.fromisoformat(match[1].replace(",", "."))
        elif match[2].startswith(END):
            break
        elif begun and (host := re.search(r"\[matcha-(\w+)\]", match[2])):
            spent = datetime.fromisoformat(match[1].replace(",", ".")) - begun
            found[host[1]] = round(spent.total_seconds(), 1)
    return found


def provision(deployment: Aks, *arguments: str) -> dict[str, float]:
    """Provision, and return the seconds of each component."""
    log = deployment.home.parent / "ansible.log"
    log.unlink(missing_ok=True)
    deployment.environment["ANSIBLE_LOG_PATH"] = str(log)
    deployment.run("provision", *arguments, matcha_stack="llm").ok()
    return seconds(log.read_text("utf-8"))


def main() -> None:
    """Measure, write and print."""
    with tempfile.TemporaryDirectory() as home, rehearsal(speed=60.0) as world:
        deployment = Aks.of(world, Path(home))
        alone = {name: provision(deployment, "--tags", name)[name] for name in COMPONENTS}
        deployment.destroy().ok()
        together = provision(deployment)
        deployment.destroy().ok()
    share = max(together.values()) / max(alone.values())
    goals = [at_most("all components over the slowest", GOAL, share)]
    save("bench-components.json", {"alone_seconds": alone, "together_seconds": together, "goals": goals})


if __name__ == "__main__":
    main()
