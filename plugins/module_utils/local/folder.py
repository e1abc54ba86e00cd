# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a local deployment keeps its things: ``{matcha_home}/{matcha_prefix}/``, its owner's alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import MatchaError

# AF_UNIX paths end at 107 bytes, and supervisor adds a dot and its process number while it binds.
SOCKET_LIMIT = 107 - len(".4194304")


def default_home() -> Path:
    """Return where deployments live unless ``matcha_home`` says otherwise."""
    data = os.environ.get("XDG_DATA_HOME") or ""
    return (Path(data) if os.path.isabs(data) else Path.home() / ".local" / "share") / "matcha"


@dataclass(frozen=True)
class Folder:
    """The folder of one local deployment."""

    path: Path

    @classmethod
    def of(cls, home: str, prefix: str) -> Folder:
        """Return the folder of a deployment. An empty ``home`` means the default one. Raises ``MatchaError``."""
        base = Path(os.path.expandvars(os.path.expanduser(home))) if home else default_home()
        folder = cls(Path(os.path.abspath(base)) / prefix)
        too_long = len(os.fsencode(folder.socket)) - SOCKET_LIMIT
        if too_long > 0:
            raise MatchaError(
                f"matcha_home is {base}: its path is {too_long} bytes too long for a Unix socket in it. Choose a "
                f"shorter one."
            )
        if any(character in str(folder.path) for character in "'\"\n%;:,"):
            raise MatchaError(f"matcha_home is {base}: choose a path without quotes, colons, commas, ';' and '%'.")
        return folder

    @property
    def state(self) -> Path:
        """The deployment's state."""
        return self.path / "state.json"

    @property
    def socket(self) -> Path:
        """Supervisor's private socket."""
        return self.path / "run" / "supervisor.sock"

    @property
    def supervisor(self) -> Path:
        """Supervisor's configuration, with a file for each program beside it."""
        return self.path / "supervisor"

    @property
    def secrets(self) -> Path:
        """One file for each secret."""
        return self.path / "secrets"

    @property
    def environments(self) -> Path:
        """The components' Python environments."""
        return self.path / "environments"

    def config(self, component: str) -> Path:
        """Return the folder of a component's configuration."""
        return self.path / "config" / component

    def data(self, component: str) -> Path:
        """Return the folder of a component's data."""
        return self.path / "data" / component

    def log(self, component: str) -> Path:
        """Return a component's log file."""
        return self.path / "logs" / f"{component}.log"

    def pending(self, component: str) -> Path:
        """Return the mark of a change that its process has not seen yet: it survives a crash."""
        return self.config(component) / ".pending"
