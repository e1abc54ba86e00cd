# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test cluster is the simulated AKS: made, stopped, started and removed with it, and open to the same people."""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.kubernetes.cluster import running
from tests.kubernetes.images import client_name
from tests.kubernetes.layout import ALIASES, ISSUER
from tests.kubernetes.processes import wait_for
from tests.simulator.ids import ResourceId
from tests.simulator.providers.compute import CLUSTERS
from tests.simulator.providers.containerservice_credentials import SERVER_APPLICATION

from . import disks, people
from .following import Follower

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.simulator.operations import Operation
    from tests.simulator.simulator import Simulator

REGISTRIES = "Microsoft.ContainerRegistry/registries"
# Where pods find Azure and the database: an address of the node's own.
DOOR = ALIASES[0]
NAMES = ("login.microsoftonline.com", "*.blob.core.windows.net", "*.vault.azure.net", "*.mysql.database.azure.com")
# A cluster that was made elsewhere, whose issuer Entra ID can ask all the same.
ELSEWHERE = "elsewhere"
ISSUER_ELSEWHERE = "https://elsewhere.oic.prod-aks.azure.com/"
HOSTS = dict.fromkeys(NAMES, DOOR)
# The API server looks for the keys again every ten seconds.
KEYS_TIMEOUT = 120


@dataclass
class Wanted:
    """What there is to be of a cluster."""

    id: str
    # Another one of the same name is another cluster.
    born: str
    up: bool
    issuer: str
    people: set[str]
    document: dict[str, Any]


class Clusters(Follower):
    """The first simulated cluster is the real one; `doors` are ports of this machine that pods reach, by their own."""

    def __init__(self, simulator: Simulator, folder: Path, doors: Mapping[int, int], tars: Iterable[Path]) -> None:
        super().__init__(simulator)
        self.cluster: Any = None
        self._folder, self._doors, self._tars = folder, doors, list(tars)
        self._imported: set[Path] = set()
        self._busy = threading.Lock()
        self._stack = ExitStack()
        # It outlives its clusters.
        self._node: Any = None
        self._registries: set[str] = set()
        # The address of a cluster that is not Azure's, if there is one.
        self._elsewhere = ""
        self._born = ""
        self._up = False
        self._people: set[str] | None = None
        self._api: Any = None
        folder.mkdir(parents=True, exist_ok=True)
        simulator.kubeconfig_for = self.kubeconfig_for  # type: ignore[attr-defined]

    # -- what there is to be

    def wanted(self) -> Wanted | None:
        if self._elsewhere:
            return Wanted(ELSEWHERE, ELSEWHERE, True, ISSUER_ELSEWHERE, set(), {})
        with self.simulator.lock:
            document = next(iter(self.simulator.store.all(CLUSTERS)), None)
            if document is None:
                return None
            own = document["properties"]
            issuer = (own.get("oidcIssuerProfile") or {}).get("issuerURL", "")
            runs = (own.get("powerState") or {}).get("code", "Running") == "Running"
            up = {"Starting": True, "Stopping": False}.get(own["provisioningState"], runs)
            people_now = people.administrators(self.simulator, document)
            return Wanted(document["id"].lower(), own["resourceUID"], up, issuer, people_now, document)

    def elsewhere(self, address: str) -> None:
        """From now on there is a cluster that nobody made in this Azure; its connections come from this address."""
        self._elsewhere = address
        self.wake()

    def nowhere(self) -> None:
        """Let that one be gone."""
        self._elsewhere = ""
        self.wake()

    def outbound(self) -> str | None:
        """Return the address that the cluster's connections come from; None: it has none that is known."""
        if self._elsewhere:
            return self._elsewhere
        with self.simulator.lock:
            document = next(iter(self.simulator.store.all(CLUSTERS)), None)
            profile = ((document or {"properties": {}})["properties"].get("networkProfile") or {}).get(
                "loadBalancerProfile"
            ) or {}
            for one in profile.get("effectiveOutboundIPs") or []:
                address = self.simulator.store.get(one["id"])
                if address:
                    return address["properties"].get("ipAddress")
        return None

    # -- following

    def look(self) -> None:
        with self._busy:
            self._follow()

    def lose_power(self) -> None:
        """Stop everything in the node at once, and start it again on the same data."""
        with self._busy:
            self.cluster.kill()
            self._start()

    def _follow(self) -> None:
        wanted = self.wanted()
        if self.cluster and (wanted is None or wanted.born != self._born):
            self._remove()
        if wanted is None:
            disks.forget(self.simulator, self._folder / "node" / "volumes")
            return
        if self.cluster is None:
            self._make(wanted)
        if wanted.up != self._up:
            (self._start if wanted.up else self.cluster.stop)()
            self._up = wanted.up
        if self._up:
            self._let_in(wanted.people)
            self._import()
            self._fill_registries()
            if not self._elsewhere:
                disks.follow(self.simulator, self._api, wanted.document)
        disks.forget(self.simulator, self._folder / "node" / "volumes")

    def _make(self, wanted: Wanted) -> None:
        """Start the node for the first time, or make the cluster on it anew. Volumes stay, as disks do."""
        issuer = wanted.issuer or ISSUER
        self.simulator.tokens.oidc_keys[issuer] = lambda: self._node.oidc_keys if self._node else {"keys": []}
        if self._node is None:
            configuration = people.authentication(self.simulator, self._folder / "authentication.yaml")
            self._node = self._stack.enter_context(
                running(self._folder / "node", HOSTS, issuer=issuer, authentication_config=configuration)
            )
            for there, here in self._doors.items():
                self._node.relay_in(here, DOOR, there)
        else:
            self._node.reset(issuer=issuer)
        self._import()
        self._api = client_of(self._node.kubeconfig)
        self._wait_for_people()
        self._born, self._up, self._people = wanted.born, True, None
        self._let_in(wanted.people)
        self.cluster = self._node

    def _start(self) -> None:
        self.cluster.start()
        self._wait_for_people()

    def _wait_for_people(self) -> None:
        """No cluster of AKS is ready before its people can come in."""
        token = self.simulator.tokens.issue(self.simulator.owner, SERVER_APPLICATION)
        wait_for(lambda: people.knows(self._api, token), "the API server to know Entra ID's keys", KEYS_TIMEOUT)

    def _import(self) -> None:
        for tar in [tar for tar in self._tars if tar not in self._imported]:
            self._node.import_image(tar)
            self._imported.add(tar)

    def add_images(self, tars: Iterable[Path]) -> None:
        """Let there be more images, for pods to come."""
        self._tars += [tar for tar in tars if tar not in self._tars]
        self.wake()

    def _remove(self) -> None:
        self.cluster = None
        if self._node and self._up:
            self._node.kill()
        self._up = False

    def _fill_registries(self) -> None:
        """Let the clients' image be in every registry, under that one's name, as if it had been built there."""
        with self.simulator.lock:
            names = {one["properties"]["loginServer"] for one in self.simulator.store.all(REGISTRIES)}
        own = client_name()
        for name in names - self._registries:
            other = f"{name}/{own.partition('/')[2]}"
            if other != own:
                self._node.tag(own, other)
        self._registries |= names

    def _let_in(self, now: set[str]) -> None:
        if now != self._people:
            people.bind(self._api, now)
            self._people = now

    def held(self, operation: Operation) -> bool:
        """No cluster is ready, none has started or stopped, before the real one is."""
        rid = ResourceId(operation.resource)
        if rid.type.lower() != CLUSTERS.lower() or self.trouble:
            return False
        document = self.simulator.store.get(rid)
        if document is None or document is not next(iter(self.simulator.store.all(CLUSTERS)), None):
            return False
        state = document["properties"].get("provisioningState")
        ready = self.cluster is not None and self._born == document["properties"]["resourceUID"]
        return (state in {"Creating", "Starting"} and not (ready and self._up)) or (state == "Stopping" and self._up)

    def kubeconfig_for(self, cluster: dict[str, Any]) -> dict[str, Any] | None:
        """Return the real cluster's kubeconfig for a simulated one's. Called with the simulator locked."""
        if self.cluster is None or cluster["properties"]["resourceUID"] != self._born:
            return None
        return yaml.safe_load(self.cluster.kubeconfig.read_text("utf-8"))

    def close(self) -> None:
        super().close()
        with suppress(AttributeError):
            del self.simulator.kubeconfig_for  # type: ignore[attr-defined]
        self.cluster = None
        self._stack.close()


def client_of(kubeconfig: Path) -> Any:
    """Return a client that asks no proxy, whatever the environment says."""
    from kubernetes import client, config

    settings = client.Configuration()
    config.load_kube_config(str(kubeconfig), client_configuration=settings)
    settings.proxy = None
    return client.ApiClient(settings)
