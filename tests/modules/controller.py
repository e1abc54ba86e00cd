# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that stands for `ansible-playbook`: it does what it is told, each command in a worker that it forks.

`python controller.py FOLDER ACCOUNT CONTAINER`, and then one command a line: `take PURPOSE TIMEOUT`, `write NAME`,
`tag NAME` (writes to Resource Manager again and again), `release`.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from ansible_collections.matcha.mlops.plugins.module_utils.azure.arm import Arm
from ansible_collections.matcha.mlops.plugins.module_utils.azure.auth import Auth
from ansible_collections.matcha.mlops.plugins.module_utils.azure.blob import BlobPlace
from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from ansible_collections.matcha.mlops.plugins.module_utils.stack.blob_state import BlobState
from ansible_collections.matcha.mlops.plugins.module_utils.stack.definition import Stack
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lease import LeaseLock, lease_id
from ansible_collections.matcha.mlops.plugins.module_utils.stack.state import new_state

GROUP = "/subscriptions/{}/resourceGroups/tea"
place = BlobPlace(Auth.of({}), sys.argv[2], sys.argv[3])
lock = LeaseLock(Path(sys.argv[1]), place)
token_file = Path(sys.argv[1]).with_suffix(".token")


def take(purpose: str, timeout: str) -> str:
    token = lock.acquire(purpose, float(timeout), lambda text: print("waiting:", text, flush=True))
    token_file.write_text(token, encoding="utf-8")
    return token


def write(name: str) -> str:
    store = BlobState(place, lease_id(token_file.read_text(encoding="utf-8")))
    state = store.update(
        lambda before: {**(before or new_state("tea", "azure", Stack("default", ()))), "components": {name: {}}}
    )
    return f"wrote {','.join(state['components'])}"


def tag(name: str) -> str:
    token = token_file.read_text(encoding="utf-8")
    with lock.working(token):
        arm = Arm(Auth.of({}), 600, fence=lambda: lock.check(token))
        print("tagging", os.getpid(), flush=True)
        for number in itertools.count():
            arm.request("PATCH", GROUP.format(arm.subscription), "2025-04-01", {"tags": {"by": name, "n": str(number)}})
    return "unreachable"


def release() -> str:
    lock.release(token_file.read_text(encoding="utf-8"))
    return "released"


def main() -> None:
    for line in sys.stdin:
        name, *arguments = line.split()
        if not os.fork():
            try:
                said = {"take": take, "write": write, "tag": tag, "release": release}[name](*arguments)
            except MatchaError as error:
                said = f"refused: {error}"
            print(said, flush=True)
            os._exit(0)
        if name != "tag":
            os.wait()


main()
