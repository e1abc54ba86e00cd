# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where verify.py deploys a model: in a folder of the model server, or in a cluster with Seldon Core."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from verification import Verification

IMPLEMENTATION = "mlserver_mlflow.MLflowRuntime"
# Seconds in which a model is served: a node may have to be made for it, and images to be fetched.
PATIENCE = 900
# Seconds until it answers for the first time, and until it does no longer.
FIRST_ANSWER = 180
# Of several routers each asks Kubernetes again after two seconds: one may know what another does not yet.
ROUTERS_MEMORY = 4
IDENTITY = "/var/run/secrets/azure/tokens"
# Run where the model is to be served, with the identity that models have.
FETCH = """
import os, fsspec
storage = fsspec.filesystem("az", account_name=os.environ["ACCOUNT"], anon=False)
storage.get(os.environ["SOURCE"], "/mnt/models/model", recursive=True)
"""


class Folder:
    """One model server on this machine: a model is a folder."""

    def __init__(self, verification: Verification, url: str) -> None:
        """Read where the folder is."""
        self.verification, self.server = verification, url
        self.models = Path(verification.setting("SELDON_MODELS"))

    def _post(self, path: str) -> Any:
        import requests

        # The first model imports MLflow, which takes a minute on a busy machine.
        return requests.post(f"{self.server}/v2/repository/models/{path}", timeout=300)

    def url(self, name: str) -> str:
        """Return where a model is asked."""
        return f"{self.server}/v2/models/{name}"

    def ask(self, name: str, question: dict[str, Any]) -> Any:
        """Return a model's answer."""
        import requests

        return requests.post(f"{self.url(name)}/infer", json=question, timeout=60)

    def deploy(self, name: str, save: Callable[[Path], None]) -> None:
        """Serve the model that `save` puts into a folder."""
        import json

        # MLServer does not look into hidden folders: a model appears there complete or not at all.
        draft = self.models / f".{name}"
        draft.mkdir(mode=0o700)
        save(draft)
        parameters = {"uri": "./model", "version": "1"}
        settings = {"name": name, "implementation": IMPLEMENTATION, "parameters": parameters}
        (draft / "model-settings.json").write_text(json.dumps(settings), encoding="utf-8")
        draft.rename(self.models / name)
        answer = self._post(f"{name}/load")
        self.verification.expect(answer.status_code, 200, f"The answer to loading the model ({answer.text[:200]})")

    def remove(self, name: str) -> None:
        """Serve it no longer."""
        answer = self._post(f"{name}/unload")
        self.verification.expect(answer.status_code, 200, f"The answer to unloading the model ({answer.text[:200]})")
        shutil.rmtree(self.models / name)

    def remove_all(self, prefix: str) -> None:
        """Remove what this and killed runs left."""
        for folder in [*self.models.glob(f"{prefix}*"), *self.models.glob(f".{prefix}*")]:
            self._post(f"{folder.name}/unload")
            shutil.rmtree(folder)


class Cluster:
    """Seldon Core: a model is a SeldonDeployment, which fetches it from storage with an identity of its own."""

    def __init__(self, verification: Verification, url: str) -> None:
        """Sign in as this pod's service account."""
        from kubernetes import client, config

        config.load_incluster_config()
        self.verification, self.server = verification, url
        self.namespace = verification.setting("SELDON_NAMESPACE")
        self.container = verification.setting("SELDON_STORAGE_CONTAINER")
        self.objects = client.CustomObjectsApi()
        self.kind = ("machinelearning.seldon.io", "v1", self.namespace, "seldondeployments")

    def _storage(self) -> Any:
        import fsspec

        return fsspec.filesystem("az", account_name=self.verification.setting("SELDON_STORAGE_ACCOUNT"), anon=False)

    def url(self, name: str) -> str:
        """Return where a model is asked: by the path that ZenML calls."""
        return f"{self.server}/seldon/{self.namespace}/{name}/v2/models/model"

    def ask(self, name: str, question: dict[str, Any]) -> Any:
        """Return a model's answer. The way to a new one opens a moment after Seldon calls it available."""
        import requests

        deadline = time.monotonic() + FIRST_ANSWER
        while True:
            answer = requests.post(f"{self.url(name)}/infer", json=question, timeout=120)
            if answer.status_code < 400 or time.monotonic() > deadline:
                return answer
            time.sleep(1)

    def deploy(self, name: str, save: Callable[[Path], None]) -> None:
        """Serve the model that `save` puts into a folder."""
        folder = self.verification.scratch()
        save(folder)
        source = f"{self.container}/{name}"
        self._storage().put(f"{folder / 'model'}/", f"{source}/", recursive=True)
        settings = {
            "ACCOUNT": self.verification.setting("SELDON_STORAGE_ACCOUNT"),
            "SOURCE": f"{source}/",
            **{key: os.environ[key] for key in sorted(os.environ) if key.startswith("AZURE_")},
        }
        images = [self.verification.setting(f"SELDON_{which}_IMAGE") for which in ("CLIENT", "SERVER")]
        numbers = not os.environ.get("SELDON_OPENSHIFT")
        self.objects.create_namespaced_custom_object(*self.kind, definition(name, images, settings, numbers))
        self._wait(name)

    def _wait(self, name: str) -> None:
        from kubernetes import watch

        status: dict[str, Any] = {}
        stream = watch.Watch().stream(
            self.objects.list_namespaced_custom_object,
            *self.kind,
            field_selector=f"metadata.name={name}",
            timeout_seconds=PATIENCE,
        )
        for event in stream:
            status = event["object"].get("status") or {}
            # The operator may not see yet what it has made itself; then it tries again.
            again = "already exists" in str(status.get("description"))
            if status.get("state") == "Available" or (status.get("state") == "Failed" and not again):
                break
        told = status.get("description") or status.get("deploymentStatus")
        self.verification.expect(status.get("state"), "Available", f"The state of SeldonDeployment {name} ({told})")

    def remove(self, name: str) -> None:
        """Serve it no longer, and wait until no router sends anybody there."""
        import requests

        self.objects.delete_namespaced_custom_object(*self.kind, name)
        self._storage().rm(f"{self.container}/{name}", recursive=True)
        served = begun = time.monotonic()
        while (now := time.monotonic()) < served + ROUTERS_MEMORY and now < begun + FIRST_ANSWER:
            if requests.get(f"{self.url(name)}/ready", timeout=60).status_code != 404:
                served = time.monotonic()
            time.sleep(0.5)

    def remove_all(self, prefix: str) -> None:
        """Remove what this and killed runs left."""
        for found in self.objects.list_namespaced_custom_object(*self.kind)["items"]:
            if found["metadata"]["name"].startswith(prefix):
                self.objects.delete_namespaced_custom_object(*self.kind, found["metadata"]["name"])
        storage = self._storage()
        for path in storage.glob(f"{self.container}/{prefix}*"):
            storage.rm(path, recursive=True)


def definition(name: str, images: list[str], settings: dict[str, str], numbers: bool = True) -> dict[str, Any]:
    """Return a SeldonDeployment: a container fetches the model, MLServer serves it, Seldon's executor isn't needed.

    `images` are those of the client and of MLServer, `settings` the environment of what fetches; OpenShift chooses
    users itself (no `numbers`).
    """
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
    scratch = {"name": "scratch", "mountPath": "/tmp"}  # noqa: S108 (the pod's own)
    user = {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000} if numbers else {}
    token = {"audience": "api://AzureADTokenExchange", "expirationSeconds": 3600, "path": "azure-identity-token"}

    def environment(values: dict[str, str]) -> list[dict[str, str]]:
        return [{"name": key, "value": value} for key, value in {"HOME": "/tmp", **values}.items()]  # noqa: S108

    def resources(cpu: str, memory: str) -> dict[str, Any]:
        return {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": cpu, "memory": memory}}

    fetch = {
        "name": "fetch",
        "image": images[0],
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", FETCH],
        "env": environment(settings),
        "resources": resources("1", "1Gi"),
        "securityContext": security,
        "volumeMounts": [
            {"name": "models", "mountPath": "/mnt/models"},
            {"name": "azure-identity-token", "mountPath": IDENTITY, "readOnly": True},
            scratch,
        ],
    }
    serve = {
        "name": "model",
        "image": images[1],
        "imagePullPolicy": "IfNotPresent",
        "env": environment({
            "MLSERVER_MODEL_IMPLEMENTATION": IMPLEMENTATION,
            "MLSERVER_MODEL_URI": "/mnt/models/model",
            "MLSERVER_PARALLEL_WORKERS": "0",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }),
        "readinessProbe": {"httpGet": {"path": "/v2/health/ready", "port": "http"}, "periodSeconds": 3},
        # Importing MLflow may take a minute where much starts at once.
        "livenessProbe": {
            "httpGet": {"path": "/v2/health/live", "port": "http"},
            "initialDelaySeconds": 120,
            "periodSeconds": 20,
        },
        "resources": resources("1", "2Gi"),
        "securityContext": security,
        "volumeMounts": [{"name": "models", "mountPath": "/mnt/models", "readOnly": True}, scratch],
    }  # fmt: skip
    pod = {
        "serviceAccountName": "matcha-models",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 20,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, **user},
        "initContainers": [fetch],
        "containers": [serve],
        "volumes": [
            {"name": "models", "emptyDir": {}},
            {"name": "scratch", "emptyDir": {}},
            {"name": "azure-identity-token", "projected": {"sources": [{"serviceAccountToken": token}]}},
        ],
    }
    predictor = {
        "name": "default",
        "replicas": 1,
        "annotations": {"seldon.io/no-engine": "true"},
        "graph": {"name": "model", "type": "MODEL"},
        "componentSpecs": [{"spec": pod}],
    }
    return {
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "matcha"}},
        "spec": {"protocol": "v2", "predictors": [predictor]},
    }
