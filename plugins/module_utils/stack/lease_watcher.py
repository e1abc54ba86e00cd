# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watcher that holds a lease too: ``python -I lease_watcher.py FOLDER HOLDER``.

It is told of the blob, and of who signs in, on its standard input. Other than ``watcher.py`` it needs the SDK,
and so the collection, which it finds from where it is itself.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Hold the lock and the lease."""
    sys.path.insert(0, str(Path(__file__).absolute().parents[6]))
    from ansible_collections.matcha.mlops.plugins.module_utils.stack import lease, watcher

    watcher.main(lease.Lease(lease.place_from(sys.stdin.readline())))


if __name__ == "__main__":
    main()
