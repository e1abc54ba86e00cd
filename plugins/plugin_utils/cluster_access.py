# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a deployment's cluster is reached by who is signed in, outside of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..module_utils.azure import credentials
from ..module_utils.azure.auth import AUTH_SPEC
from ..module_utils.kubernetes.client import Access
from ..module_utils.kubernetes.module import ACCESS_SPEC
from .action import as_bool

if TYPE_CHECKING:
    from pathlib import Path

    from ..module_utils.stack.state import State
    from .place import Options, Place

# What a survey sends is a text.
CLUSTER_SPEC: dict[str, Any] = {**ACCESS_SPEC, "openshift": {"type": "str", "default": ""}}
KUBECONFIG = "kubeconfig"


def cluster_access(options: Options, place: Place, state: State, folder: Path, check_mode: bool = False) -> Access:
    """Return how the cluster is reached: as the options say, else as Azure hands it out, into a file in ``folder``.

    Raises ``MatchaError``.
    """
    if options.get("kubeconfig"):
        openshift = as_bool(options.get("openshift"), "matcha_openshift")
        return Access(options["kubeconfig"], options.get("context") or "", openshift)
    name = f"{place.prefix}-k8s"
    path = folder / KUBECONFIG
    asked = {
        **{key: told.get("default") for key, told in credentials.SPEC.items()},
        **{key: options.get(key) for key in AUTH_SPEC},
        "subscription_id": state["subscription_id"],
        "resource_group": state["resource_group"],
        "cluster_name": name,
        "path": str(path),
        "context": name,
        "token": True,
        "set_current_context": True,
    }
    credentials.apply(asked, check_mode)
    return Access(str(path), name)
