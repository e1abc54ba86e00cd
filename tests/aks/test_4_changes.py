# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""New passwords, and new versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient

if TYPE_CHECKING:
    from tests.aks.stack import Aks

# Of which output, and which container its account has.
CONNECTION_STRINGS = {
    "data-version-control": ("connection-string", "{p}dvcstore"),
    "experiment-tracker": ("azure-connection-string", "{p}store"),
    "pipeline": ("connection-string", "{p}artifactstore"),
}


def test_account_keys_sign_in_while_they_are_asked_for(llm: Aks, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in llm.environment.items():
        monkeypatch.setenv(variable, value)
    llm.run("provision", matcha_storage_shared_key=True).ok()
    found, masked = llm.outputs(), llm.run("outputs", matcha_output="json").ok().output
    clients = {}
    for resource, (name, container) in CONNECTION_STRINGS.items():
        value = found[resource][name]
        assert value.rpartition("AccountKey=")[2] not in masked
        clients[resource] = BlobServiceClient.from_connection_string(value, retry_total=0)
        assert [one.name for one in clients[resource].list_containers()] == [container.format(p=llm.prefix)]
    llm.run("provision").ok()
    found = llm.outputs()
    for resource, (name, _container) in CONNECTION_STRINGS.items():
        assert name not in found[resource]
        with pytest.raises(HttpResponseError, match="KeyBasedAuthenticationNotPermitted"):
            clients[resource].get_service_properties()


def test_passwords_are_rotated_in_one_run(llm: Aks) -> None:
    before = llm.outputs()
    llm.run("provision", matcha_rotate_passwords=["zenml", "mlflow"]).ok()
    after = llm.outputs()
    for resource, name in (("pipeline", "server-password"), ("experiment-tracker", "password")):
        assert before[resource][name] != after[resource][name], resource
    llm.keep("check")
    llm.run("verify").ok()
    llm.assert_converged()
