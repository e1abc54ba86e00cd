# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's volumes are disks of Azure: resources in a group, which outlive the cluster and cost money."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from tests.simulator.ids import ResourceId
from tests.simulator.providers.disks import DISKS, attach

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator.simulator import Simulator

PROVISIONER = "disk.csi.azure.com"


def follow(simulator: Simulator, api: Any, cluster: dict[str, Any]) -> None:
    """Let there be a disk for each volume that the storage driver made."""
    from kubernetes import client

    volumes = client.CoreV1Api(api).list_persistent_volume().items
    if not volumes:
        return
    classes = {one.metadata.name: one for one in client.StorageV1Api(api).list_storage_class().items}
    for volume in volumes:
        made_by = (volume.metadata.annotations or {}).get("pv.kubernetes.io/provisioned-by")
        kind = classes.get(volume.spec.storage_class_name)
        if made_by != PROVISIONER or kind is None:
            continue
        parameters = {name.lower(): value for name, value in (kind.parameters or {}).items()}
        group = parameters.get("resourcegroup") or cluster["properties"]["nodeResourceGroup"]
        subscription = ResourceId(cluster["id"]).subscription
        rid = ResourceId(
            f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{DISKS}/{volume.metadata.name}"
        )
        gigabytes = int(volume.spec.capacity["storage"].removesuffix("Gi"))
        with simulator.lock:
            attach(
                simulator,
                cluster,
                rid,
                gigabytes,
                parameters.get("skuname", "StandardSSD_LRS"),
                _tags(volume, parameters),
            )


def _tags(volume: Any, parameters: dict[str, str]) -> dict[str, str]:
    claim = volume.spec.claim_ref
    own = dict(part.split("=", 1) for part in parameters.get("tags", "").split(",") if "=" in part)
    return {
        **own,
        "k8s-azure-created-by": "kubernetes-azure-dd",
        "kubernetes.io-created-for-pv-name": volume.metadata.name,
        "kubernetes.io-created-for-pvc-name": claim.name if claim else "",
        "kubernetes.io-created-for-pvc-namespace": claim.namespace if claim else "",
    }


def forget(simulator: Simulator, folder: Path) -> None:
    """Remove the data of disks that are gone. What is not a disk yet is not touched."""
    with simulator.lock:
        there = {document["name"] for document in simulator.store.all(DISKS)}
    known = folder.parent / "disks"
    before = set(known.read_text("utf-8").split()) if known.exists() else set()
    for gone in before - there:
        for path in folder.glob(f"*{gone}*"):
            shutil.rmtree(path, ignore_errors=True)
    if there != before:
        known.write_text("\n".join(sorted(there)), encoding="utf-8")
