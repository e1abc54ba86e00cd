# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of a rehearsal, started together and stopped together."""

from __future__ import annotations

import shutil
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.kubernetes.cluster import EXISTING, VARIABLE, NodeNeeded
from tests.kubernetes.images import images
from tests.kubernetes.images.authority import authority
from tests.kubernetes.seldon import core as seldon
from tests.simulator.access import Delays
from tests.simulator.http import DirectServer, Running
from tests.simulator.keys import use_authority
from tests.simulator.simulator import Simulator

from .clusters import Clusters
from .databases import Databases
from .following import Followers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def all_images(names: Iterable[str] | None = None) -> dict[str, Path]:
    """Return the tar of each image that a rehearsal needs, of Seldon's operator too where that can be built."""
    if names is not None:
        return images(names)
    return {**images(), **({} if seldon.trouble() else seldon.images())}


class World:
    """A simulated Azure that is real where it matters: pods run, data is kept, certificates are checked."""

    def __init__(
        self, folder: Path, *, port: int = 0, image_names: Iterable[str] | None = None, **settings: Any
    ) -> None:
        if EXISTING:
            raise NodeNeeded(f"Pods of the cluster that {VARIABLE} names cannot reach a simulated Azure: unset it.")
        self.folder = folder
        # What is missing is made now, which can take long.
        tars = list(all_images(image_names).values())
        # The database's user must be able to pass.
        folder.chmod(0o711)
        use_authority(authority())
        self.simulator = Simulator(**settings)
        self._running = Running(self.simulator, port)
        self._direct = DirectServer(self.simulator)
        self._thread = threading.Thread(target=self._direct.serve_forever, args=(0.02,), name="simulator-direct")
        self._thread.start()
        self.databases = Databases(self.simulator, folder / "databases", authority(), self._address)
        doors = {443: self._direct.server_address[1], 3306: self.databases.gate.port}
        self.clusters = Clusters(self.simulator, folder / "cluster", doors, tars)
        for follower in (self.databases, self.clusters):
            follower.start()
        self.simulator.outside = Followers([self.databases, self.clusters])

    def _address(self) -> str | None:
        """Return the address that the cluster's connections come from."""
        return self.clusters.outbound()

    @property
    def environment(self) -> dict[str, str]:
        """What to export, so that Azure's clients end here."""
        return self._running.environment

    @property
    def url(self) -> str:
        return self._running.url

    @property
    def refused(self) -> list[str]:
        """The hosts that somebody wanted to reach and could not."""
        return [*self._running.refused, *self._direct.refused]

    @property
    def cluster(self) -> Any:
        """The test cluster; None: there is none now."""
        return self.clusters.cluster

    @property
    def kubeconfig(self) -> Path:
        """A file with which an administrator may do all in the cluster."""
        return Path(self.cluster.kubeconfig)

    def log(self) -> list[dict[str, Any]]:
        """Return the requests to Azure so far."""
        return self._running.log()

    def clean(self) -> None:
        """Let there be nothing in Azure, and nothing real of it, whatever was there. Who signs in is another one."""
        self.simulator.faults.clear()
        self.simulator.reset()
        self.clusters.nowhere()
        for follower in (self.clusters, self.databases):
            follower.wake()
            assert follower.caught_up(300)

    def close(self) -> None:
        for follower in (self.clusters, self.databases):
            follower.close()
        self._direct.shutdown()
        self._thread.join()
        self._direct.server_close()
        self._running.stop()


@contextmanager
def rehearsal(*, speed: float = 100.0, folder: Path | None = None, **settings: Any) -> Iterator[World]:
    """Bring everything up, and remove all of it. A cluster and a database come with the first that is provisioned."""
    with ExitStack() as stack:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="rehearsal-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # Grants take real minutes to spread; here, as long as a client is patient.
        settings.setdefault("delays", Delays())
        world = World(folder, speed=speed, **settings)
        stack.callback(world.close)
        yield world
