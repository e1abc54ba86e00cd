# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user of a rehearsal gives the playbooks: variables, and an environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.clients.foreign import environment_of
from tests.kubernetes.seldon import core

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
LOCATION = "westeurope"


def variables(folder: Path, **more: Any) -> dict[str, Any]:
    """Return the variables for a rehearsal that has its files here. Seldon's own chart cannot be downloaded."""
    given: dict[str, Any] = {"matcha_home": str(folder / "home"), "matcha_location": LOCATION}
    if not core.trouble():
        chart = folder / "seldon-core-operator"
        given["matcha_seldon_chart"] = str(chart if chart.exists() else core.chart(folder))
        given["matcha_helm_binary"] = str(ROOT / "tools" / "helm")
    return {**given, **more}


def environment(folder: Path, azure: Mapping[str, str]) -> dict[str, str]:
    """Return what to export beside what leads to the simulated Azure, which is given."""
    # kubernetes.core is a collection of its own.
    (others,) = environment_of("azcollection").glob("lib/python3*/site-packages")
    return {
        **azure,
        "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / 'collections'}:{others}",
        "ANSIBLE_INVENTORY": str(ROOT / "inventories" / "azure"),
        "AZURE_CONFIG_DIR": str(folder / "az"),
        "KUBECONFIG": str(folder / "kubeconfig"),
    }
