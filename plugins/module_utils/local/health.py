# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a component works, to the eye of a client: more than a probe, less than a verification."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import mlflow
from ..rest import Rest, RestError
from ..zenml import Zenml
from . import secrets
from .folder import Folder

TIMEOUT = 10.0

Properties = Mapping[str, Any]


def _zenml(folder: Folder, properties: Properties) -> None:
    key = secrets.read(folder, properties["server-api-key"]["secret"])
    client = Zenml.login_with_key(properties["server-url"], key, TIMEOUT)
    if not client.find("stacks", "matcha"):
        raise RestError("ZenML has no stack 'matcha': provision registers it.")


def _mlflow(folder: Folder, properties: Properties) -> None:
    password = secrets.read(folder, properties["password"]["secret"])
    rest = mlflow.session(properties["tracking-url"], properties["username"], password, TIMEOUT)
    rest.request("POST", "/api/2.0/mlflow/experiments/search", body={"max_results": 1})


def _chroma(_folder: Folder, properties: Properties) -> None:
    path = "/api/v2/tenants/default_tenant/databases/default_database/collections"
    Rest("Chroma", properties["server-url"], TIMEOUT).request("GET", path)


def _seldon(_folder: Folder, properties: Properties) -> None:
    Rest("MLServer", properties["base-url"], TIMEOUT).request("POST", "/v2/repository/index", body={})


def _dvc(_folder: Folder, properties: Properties) -> None:
    if not os.access(Path(properties["remote-url"]), os.R_OK | os.W_OK | os.X_OK):
        raise RestError(f"{properties['remote-url']} is not a folder that can be written: provision makes it.")


CHECKS: dict[str, Callable[[Folder, Properties], None]] = {
    "zenml": _zenml,
    "mlflow": _mlflow,
    "chroma": _chroma,
    "seldon": _seldon,
    "dvc": _dvc,
}


def complaint(folder: Folder, component: str, outputs: Mapping[str, Any]) -> str:
    """Return why a component does not work, as a sentence; nothing if it does.

    ``outputs`` is what its role recorded.
    """
    properties = {name: value for output in outputs.values() for name, value in output["properties"].items()}
    try:
        CHECKS[component](folder, properties)
    except RestError as error:
        return secrets.redact(folder, str(error))
    except KeyError as error:
        return f"The state does not hold its {error.args[0]}: run provision."
    return ""
