# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole stack from nothing, as a user makes it, and used by the real clients."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from tests.aks.stack import Aks

# What each resource of product's outputs must have on Azure. Those of account keys are in test_4_changes.py.
OUTPUTS = {
    "cloud": {"flavor", "location", "prefix", "resource-group-name"},
    "container-registry": {"flavor", "registry-name", "registry-url"},
    "data-version-control": {"flavor", "account-name", "container-name", "remote-url"},
    "experiment-tracker": {"flavor", "tracking-url", "username", "password"},
    "model-deployer": {"flavor", "base-url", "workloads-namespace"},
    "orchestrator": {"flavor", "k8s-context", "cluster-name"},
    "pipeline": {"flavor", "server-url", "server-username", "server-password", "storage-path"},
    "vector-database": {"flavor", "server-url"},
}


def test_every_pod_is_ready(llm: Aks) -> None:
    assert llm.unready() == []
    namespaces = {pod.metadata.namespace for pod in llm.pods()}
    assert {"zenml", "mlflow", "chroma", "seldon-system"} <= namespaces


def test_outputs(llm: Aks) -> None:
    found = llm.outputs()
    for resource, properties in OUTPUTS.items():
        assert properties <= found[resource].keys(), resource
    masked = llm.run("outputs", matcha_output="json").ok().output
    for secret in (found["pipeline"]["server-password"], found["experiment-tracker"]["password"]):
        assert secret
        assert secret not in masked


def test_status(llm: Aks) -> None:
    status = llm.status()
    bad = {name: part for name, part in status["components"].items() if not part["healthy"] or part["drift"]}
    assert not bad, bad
    assert set(status["components"]) == {"zenml", "mlflow", "seldon", "dvc", "chroma"}


def test_verify(llm: Aks) -> None:
    before = llm.objects()
    result = llm.run("verify").ok()
    assert re.search(r"zenml: done", result.output), result.output
    # Nothing is left behind.
    # but for its Jobs, which tell how it went and go by themselves.
    assert {one for one in llm.objects() if not one.startswith("Job ")} == {one for one in before if one[:4] != "Job "}


def test_connect(llm: Aks) -> None:
    connected = llm.run("connect").ok()
    (script,) = re.findall(r"source (\S+)", connected.output)
    words = [line.removeprefix("export ") for line in Path(script).read_text("utf-8").splitlines()]
    environment = dict(shlex.split(line)[0].split("=", 1) for line in words)
    secrets = [environment[name] for name in ("ZENML_STORE_API_KEY", "MLFLOW_TRACKING_PASSWORD")]
    assert not [secret for secret in secrets if secret in connected.output]
    assert Path(script).stat().st_mode & 0o077 == 0

    with requests.Session() as user:
        # What leads to Azure is not for these.
        user.trust_env = False
        zenml, mlflow = environment["ZENML_STORE_URL"], environment["MLFLOW_TRACKING_URI"]
        login = {"grant_type": "zenml-api-key", "password": secrets[0]}
        assert user.post(f"{zenml}/api/v1/login", data=login, timeout=60).status_code == 200
        search = f"{mlflow}/api/2.0/mlflow/experiments/search?max_results=1"
        who = (environment["MLFLOW_TRACKING_USERNAME"], secrets[1])
        assert user.get(search, auth=who, timeout=60).status_code == 200
        assert user.get(search, timeout=60).status_code == 401
        assert user.get(f"{environment['CHROMA_URL']}/api/v2/heartbeat", timeout=60).status_code == 200
        # No model is there.
        base = environment["SELDON_BASE_URL"]
        assert user.get(f"{base}/seldon/matcha-seldon-workloads/none/v2", timeout=60).status_code == 404
        assert not llm.run("connect").ok().changed
        llm.run("connect", matcha_connect=False).ok()
        with pytest.raises(requests.ConnectionError):
            user.get(search, timeout=60)


def test_what_runs_reached_nothing_but_azure(llm: Aks) -> None:
    # The simulated one: whatever else was asked for was refused, and this would show it.
    assert llm.world.refused == []
    assert llm.world.clusters.trouble is None
    assert llm.world.databases.trouble is None


def test_no_secret_was_said_or_recorded(llm: Aks) -> None:
    simulator = llm.world.simulator
    found = llm.outputs()
    secrets = [found["pipeline"]["server-password"], found["experiment-tracker"]["password"]]
    secrets += [simulator.owner.secret, *simulator.store.passwords.values()]
    account = next(
        one for one in simulator.store.all("Microsoft.Storage/storageAccounts") if "statestacc" in one["name"]
    )
    assert account["properties"]["allowSharedKeyAccess"] is False
    for said in [*llm.said, json.dumps(llm.run("status", matcha_output="json").output)]:
        for secret in secrets:
            assert secret not in said
