# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the simulator by itself.

In the background, with its output in a file that the shell then reads: `python -m tests.simulator > FILE &`, `. FILE`.
For a replay of recordings: `python -m tests.simulator --http PORT --instant`.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import threading
from pathlib import Path

from .faults import Faults
from .http import Running
from .simulator import Simulator


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulator", description="A simulator of Azure Resource Manager."
    )
    parser.add_argument("--http", type=int, default=0, metavar="PORT", help="listen on this port of 127.0.0.1")
    parser.add_argument("--instant", action="store_true", help="long operations are over at the next request")
    parser.add_argument("--speed", type=float, default=1.0, help="how many of Azure's seconds pass in a second")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn by lot")
    parser.add_argument("--faults", type=Path, metavar="FILE", help='a script: {"seed", "rate", "rules": […]}')
    options = parser.parse_args()
    faults = Faults(**json.loads(options.faults.read_text("utf-8"))) if options.faults else None
    simulator = Simulator(speed=options.speed, instant=options.instant, seed=options.seed, faults=faults)
    run = Running(simulator, options.http)
    for name, value in run.environment.items():
        print(f"export {name}={shlex.quote(value)}")
    print(f"# Resource Manager without authentication, and the control API: {run.url}", flush=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    run.stop()


if __name__ == "__main__":
    main()
