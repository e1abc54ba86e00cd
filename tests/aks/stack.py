# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment on a rehearsal, and what can be seen of it from outside."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployments import Deployment, wait_until

from tests.rehearsal import user
from tests.rehearsal.clusters import client_of
from tests.rehearsal.pods import run_pod

if TYPE_CHECKING:
    from deployments import Result

    from tests.rehearsal.world import World

KEPT = Path(__file__).with_name("kept.py")
MANAGER = "matcha.mlops"
READS = ("GET", "HEAD", "OPTIONS")
# POSTs that change nothing begin with one of these.
ASKS = ("list", "check", "get", "query")
WORKLOADS = "matcha-zenml-workloads"


@dataclass
class Aks(Deployment):
    """One deployment on the target azure."""

    world: World = None  # type: ignore[assignment]
    _mark: int = 0
    _secrets: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, world: World, home: Path, prefix: str = "matcha", **variables: Any) -> Aks:
        given = user.variables(home, **variables)
        given.pop("matcha_home")
        return cls(
            home / "home",
            prefix=prefix,
            variables=given,
            environment=user.environment(home, world.environment),
            world=world,
        )

    # -- Azure

    def forget(self) -> None:
        """Look only at the requests that come from now on."""
        self._mark = len(self.world.log())

    def requests(self) -> list[dict[str, Any]]:
        return self.world.log()[self._mark :]

    def writes(self) -> list[str]:
        """Return what was changed in Azure since `forget`, the state and its lease left out."""
        found = []
        for each in self.requests():
            action = each["path"].rpartition("/")[2].lower()
            asks = each["method"] in READS or (each["method"] == "POST" and action.startswith(ASKS))
            if not asks and each["host"].endswith(("management.azure.com", ".vault.azure.net")):
                found.append(f"{each['method']} {each['path']}")
        return found

    @property
    def group(self) -> str:
        return f"/subscriptions/{self.world.simulator.subscription}/resourceGroups/{self.prefix}-resources"

    def resource(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return a resource of the deployment's group, as Azure has it."""
        return self.world.simulator.store.get(f"{self.group}/providers/{kind}/{name}")

    # -- Kubernetes

    @property
    def api(self) -> Any:
        return client_of(self.world.kubeconfig)

    def objects(self) -> dict[str, str]:
        """Return a mark of each object that the collection manages. It changes when more than the status does."""
        from kubernetes import dynamic

        client = dynamic.DynamicClient(self.api)
        found = {}
        for kind in client.resources.search(preferred=True):
            if "list" not in (getattr(kind, "verbs", None) or []) or "/" in kind.name or kind.kind.endswith("List"):
                continue
            for each in client.get(kind).to_dict().get("items", []):
                if any(one["manager"] == MANAGER for one in each["metadata"].get("managedFields", [])):
                    where = f"{kind.kind} {each['metadata'].get('namespace', '')}/{each['metadata']['name']}"
                    found[where] = mark(each)
        return found

    def pods(self) -> list[Any]:
        from kubernetes import client

        return client.CoreV1Api(self.api).list_pod_for_all_namespaces().items

    def unready(self) -> list[str]:
        """Return the pods that neither run nor have done what they were there for."""
        found = []
        for pod in self.pods():
            states = pod.status.container_statuses or []
            ready = states and all(one.ready for one in states)
            if pod.status.phase != "Succeeded" and not ready:
                found.append(f"{pod.metadata.namespace}/{pod.metadata.name}")
        return found

    def containers(self) -> set[str]:
        """Return the containers that run, as far as the kubelet has said so: of one that lost its power, too."""
        statuses = [one for pod in self.pods() for one in pod.status.container_statuses or []]
        return {one.container_id for one in statuses if one.state.running}

    def wait_for_other_containers(self, before: set[str]) -> None:
        """Wait until none of those from before runs any more, and every pod is ready."""
        wait_until(lambda: not before & self.containers(), "every container has started again", 600)
        wait_until(lambda: not self.unready(), "every pod is ready again", 600)

    def assert_converged(self) -> None:
        """Fail unless one more run changes nothing, and say what it changes."""
        again = self.run("provision").ok()
        assert not again.changed, changes(again.output)

    # -- what users have

    def outputs(self, **variables: Any) -> dict[str, Any]:
        """Return all outputs, with secrets."""
        file = self.home.parent / "outputs.json"
        file.unlink(missing_ok=True)
        self.run(
            "outputs",
            matcha_output="json",
            matcha_output_file=str(file),
            matcha_show_sensitive=True,
            **variables,
        ).ok()
        return json.loads(file.read_text("utf-8"))

    def keep(self, action: str) -> None:
        """Make data in every component, or check that it is there, by a pod that has all clients in it."""
        from kubernetes import client

        identity = self.resource("Microsoft.ManagedIdentity/userAssignedIdentities", f"{self.prefix}-workloads")
        assert identity
        values = {
            "ACTION": action,
            "OUTPUTS": json.dumps(self.outputs()),
            "AZURE_CLIENT_ID": identity["properties"]["clientId"],
            "AZURE_TENANT_ID": self.world.simulator.tenant,
            "AZURE_FEDERATED_TOKEN_FILE": "/var/run/secrets/azure/tokens/azure-identity-token",
            "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
        }
        # Made by those who run pipelines; others need no right of an account to reach their servers here.
        workloads = WORKLOADS in {one.metadata.name for one in client.CoreV1Api(self.api).list_namespace().items}
        run_pod(
            self.api,
            f"cr{self.prefix}.azurecr.io/matcha/client:0.1.0",
            ["python", "-c", KEPT.read_text("utf-8")],
            values,
            audience="api://AzureADTokenExchange",
            namespace=WORKLOADS if workloads else "default",
            account="matcha-workloads" if workloads else "default",
        )

    def destroy(self) -> Result:  # type: ignore[override]
        return self.run("destroy", matcha_confirm=True)

    def processes(self) -> list[Any]:
        return []


def changes(output: str) -> list[str]:
    """Return the tasks that changed something, with what was printed from their name to that."""
    tasks = re.split(r"^(?=TASK )", output, flags=re.MULTILINE)
    return [task for task in tasks if re.search(r"^changed: ", task, re.MULTILINE)]


def mark(thing: dict[str, Any]) -> str:
    """Hash an object but for what it is like: the resourceVersion counts where nothing else could have moved it."""
    metadata = dict(thing["metadata"])
    fields = [one for one in metadata.pop("managedFields", []) if one.get("subresource") != "status"]
    content = {key: value for key, value in thing.items() if key not in {"metadata", "status"}}
    if thing.get("status") is not None:
        metadata.pop("resourceVersion")
    whole = json.dumps([metadata, [one for one in fields if one["manager"] == MANAGER], content], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
