# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that keeps ports of this machine open that lead into a cluster, until it is asked to end.

It is told on its standard input what to open, and answers with one line of JSON: the ports, or an error. It ends on
SIGTERM, or when its record in the folder is gone or another one's. It finds the collection from where it is itself.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

RECORD = "forwards.json"
# Seconds between two looks at the record.
INTERVAL = 5.0


def opened(told: dict[str, Any]) -> dict[str, Any]:
    """Open what is told; return the open ports by name. Raises ``MatchaError``."""
    from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
    from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.client import Access
    from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.forward import Forward, Target

    access = Access(**told["access"])
    found: dict[str, Any] = {}
    for name, each in told["forwards"].items():
        target = Target(each["namespace"], each["service"], each["port"])
        try:
            found[name] = Forward(access, target, each["local_port"] or 0)
        except OSError as error:
            raise MatchaError(
                f"Port {each['local_port']} of this machine cannot be opened for {name} ({error.strerror}): set "
                f"another local_port."
            ) from error
    return found


def belongs(folder: Path) -> bool:
    """Return whether the record in the folder is of this process."""
    try:
        return bool(json.loads((folder / RECORD).read_text(encoding="utf-8"))["process"]["pid"] == os.getpid())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def main() -> None:
    """Open the ports, say so, and serve."""
    sys.path.insert(0, str(Path(__file__).absolute().parents[6]))
    from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
    from ansible_collections.matcha.mlops.plugins.module_utils.files import write_atomically
    from ansible_collections.matcha.mlops.plugins.module_utils.stack import watcher

    os.umask(0o077)
    told = json.loads(sys.stdin.readline())
    folder = Path(told["folder"])
    try:
        forwards = opened(told)
    except MatchaError as error:
        return watcher.answer(json.dumps({"error": str(error)}))
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ports = {name: each.port for name, each in forwards.items()}
    process = {"pid": os.getpid(), "started": watcher.start_time(os.getpid())}
    write_atomically(folder / RECORD, json.dumps({"process": process, "told": told, "ports": ports}))
    for each in forwards.values():
        each.start()
    watcher.answer(json.dumps({"ports": ports}))
    while not ended.wait(INTERVAL) and belongs(folder):
        pass
    for each in forwards.values():
        each.close()
    return None


if __name__ == "__main__":
    main()
