# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for Azure's disk driver in the test node: a volume is a folder of this machine.

    python -m tests.kubernetes.provisioner KUBECONFIG VOLUMES

A folder is outside the cluster, as a disk is, so it outlives the cluster if its class retains it.
"""

from __future__ import annotations

import logging
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes
import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator

PROVISIONER = "disk.csi.azure.com"
ASKED = ("volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner")
PROVISIONED = "pv.kubernetes.io/provisioned-by"
SELECTED = "volume.kubernetes.io/selected-node"
LOG = logging.getLogger("provisioner")


class Provisioner:
    """Makes what claims ask for, and removes what nobody wants any more."""

    def __init__(self, api: kubernetes.client.ApiClient, folder: Path) -> None:
        self.core = kubernetes.client.CoreV1Api(api)
        self.storage = kubernetes.client.StorageV1Api(api)
        self.folder = folder

    def work(self) -> None:
        """Look at every claim and volume once."""
        claims = self.core.list_persistent_volume_claim_for_all_namespaces().items
        for claim in claims:
            annotations = claim.metadata.annotations or {}
            asked = {annotations.get(name) for name in ASKED}
            if PROVISIONER in asked and not claim.spec.volume_name and claim.status.phase == "Pending":
                self.provision(claim)
        for volume in self.core.list_persistent_volume().items:
            self.reclaim(volume)

    def provision(self, claim: Any) -> None:
        storage_class = self.storage.read_storage_class(claim.spec.storage_class_name)
        waits = storage_class.volume_binding_mode == "WaitForFirstConsumer"
        if waits and SELECTED not in (claim.metadata.annotations or {}):
            return
        name = f"pvc-{claim.metadata.uid}"
        place = self.folder / name
        place.mkdir(parents=True, exist_ok=True)
        # A folder gets no group of its pod, as a disk would.
        place.chmod(0o777)
        reference = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": claim.metadata.namespace}
        reference |= {"name": claim.metadata.name, "uid": claim.metadata.uid}
        body = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {PROVISIONED: PROVISIONER}},
            "spec": {
                "accessModes": claim.spec.access_modes,
                "capacity": {"storage": claim.spec.resources.requests["storage"]},
                "claimRef": reference,
                "hostPath": {"path": str(place), "type": "Directory"},
                "persistentVolumeReclaimPolicy": storage_class.reclaim_policy,
                "storageClassName": storage_class.metadata.name,
                "volumeMode": "Filesystem",
            },
        }
        try:
            self.core.create_persistent_volume(body)
        except kubernetes.client.ApiException as error:
            if error.status != 409:
                raise
        else:
            LOG.info("made %s for %s/%s", name, claim.metadata.namespace, claim.metadata.name)

    def reclaim(self, volume: Any) -> None:
        ours = (volume.metadata.annotations or {}).get(PROVISIONED) == PROVISIONER
        wanted = volume.spec.persistent_volume_reclaim_policy != "Delete" or volume.status.phase != "Released"
        if not ours or wanted:
            return
        place = Path(volume.spec.host_path.path)
        if place.parent == self.folder:
            shutil.rmtree(place, ignore_errors=True)
        self.core.delete_persistent_volume(volume.metadata.name)
        LOG.info("removed %s", volume.metadata.name)


def _changes(api: kubernetes.client.ApiClient) -> Iterator[None]:
    """Yield now, and whenever a claim or volume may have changed."""
    core = kubernetes.client.CoreV1Api(api)
    while True:
        yield
        watch = kubernetes.watch.Watch()
        for _event in watch.stream(core.list_persistent_volume_claim_for_all_namespaces, timeout_seconds=5):
            yield


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(sys.argv[1], client_configuration=configuration)
    configuration.proxy = None
    api = kubernetes.client.ApiClient(configuration)
    provisioner = Provisioner(api, Path(sys.argv[2]))
    while True:
        try:
            for _change in _changes(api):
                provisioner.work()
        except (kubernetes.client.ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            LOG.info("%s", error)
            time.sleep(1)


if __name__ == "__main__":
    main()
