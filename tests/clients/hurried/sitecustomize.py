# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In a foreign client's process, by PYTHONPATH: shorten what it sleeps.

The Azure CLI and azure.azcollection look at a long operation every 30 s and cannot be told otherwise. The simulator's
clock runs faster than ours, so there is nothing to wait for. Nothing else of the client is changed.
"""

from __future__ import annotations

import time

LONGEST = 0.1
_sleep = time.sleep


def _hurried_sleep(seconds: float) -> None:
    _sleep(min(seconds, LONGEST))


time.sleep = _hurried_sleep
