# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that removes a plan's folder when its controller has ended, however that was.

``python -I plan_watcher.py FOLDER HOLDER``, as ``watcher.py``. Nothing but the folder is held.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def main() -> None:
    """Wait for the end of the plan."""
    sys.path.insert(0, str(Path(__file__).absolute().parents[6]))
    from ansible_collections.matcha.mlops.plugins.module_utils.stack import watcher

    class Plan(watcher.Keeper):
        def tidy(self, folder: Path) -> None:
            """Remove copies of secrets, and whatever else a plan has looked things up with."""
            for path in list(folder.iterdir()) if folder.is_dir() else ():
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name not in (watcher.LOCK, watcher.HOLDER, watcher.WORK):
                    path.unlink(missing_ok=True)

    watcher.main(Plan())


if __name__ == "__main__":
    main()
