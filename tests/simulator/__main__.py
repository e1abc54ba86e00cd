# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.simulator"""

from __future__ import annotations

import argparse

from .http import plain_server
from .simulator import Simulator


def main() -> None:
    parser = argparse.ArgumentParser(description="A simulator of Azure Resource Manager.")
    parser.add_argument("--http", type=int, metavar="PORT", help="plain HTTP on this port, without authentication")
    parser.add_argument("--instant", action="store_true", help="long operations are over at the next request")
    parser.add_argument("--speed", type=float, default=1.0, help="how many of Azure's seconds pass in one")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    simulator = Simulator(speed=options.speed, instant=options.instant, seed=options.seed)
    with plain_server(simulator, options.http or 0) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
