# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's Helm path on a real Kubernetes: a stand-in chart, Seldon's own operator, and a model that is served."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes
import pytest
import yaml

from tests.clients.foreign import environment_of
from tests.kubernetes.cluster import ROOT, Cluster, needed, running
from tests.kubernetes.images.build import images
from tests.kubernetes.processes import wait_for
from tests.kubernetes.seldon import core

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEM, WORKLOADS, RELEASE = "seldon-system", "matcha-seldon-workloads", "seldon-core-operator"
KIND = ("machinelearning.seldon.io", "v1", WORKLOADS, "seldondeployments")
MLSERVER, NGINX = "seldonio/mlserver:1.7.1", "nginxinc/nginx-unprivileged:1.29-alpine"
LEADER = "machinelearning.seldon.io"
# What changes by itself: who leads, and what the cluster says of itself.
LIVELY = {"leases", "events", "endpoints", "endpointslices", "pods", "controllerrevisions"}
PLAY = f"""
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    matcha_target: local
    stack_purpose: A test
    ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
  vars_files:
    - {ROOT}/roles/seldon/vars/azure.yml
  roles:
    - matcha.mlops.stack
  tasks:
    # What the other target knows besides.
    - ansible.builtin.set_fact:
        matcha_deployment: "{{{{ matcha_deployment | combine({{'matcha_uuid': uuid}}) }}}}"
      vars:
        uuid: 11111111-2222-3333-4444-555555555555
    - ansible.builtin.file:
        path: "{{{{ matcha_deployment.path }}}}/secrets"
        state: directory
        mode: "0700"
    - ansible.builtin.include_role:
        name: matcha.mlops.seldon
        tasks_from: "{{{{ entry | default('kubernetes') }}}}"
"""
CHANGED = re.compile(r"^TASK \[matcha\.mlops\.seldon : (.*?)\] \**\n(?:(?!TASK)[\s\S])*?^changed:", re.MULTILINE)
# In place of ZenML's storage.
TRAIN = """
import mlflow.sklearn, pandas
from sklearn.linear_model import LinearRegression
points = pandas.DataFrame({"leaves": [0.0, 1.0, 2.0, 4.0], "water": [1.0, 0.0, 3.0, 2.0]})
model = LinearRegression().fit(points, 2 * points["leaves"] + points["water"] + 1)
signature = mlflow.models.infer_signature(points, model.predict(points))
mlflow.sklearn.save_model(model, "/mnt/models/model", signature=signature, pip_requirements=["scikit-learn"])
"""


@dataclass
class World:
    """A cluster, a chart, and a deployment on this machine that stands for one on Azure."""

    cluster: Cluster
    folder: Path

    @property
    def api(self) -> kubernetes.client.ApiClient:
        return kubernetes.config.new_client_from_config(str(self.cluster.kubeconfig))

    def platform(self, kubeconfig: Path) -> dict[str, Any]:
        context = yaml.safe_load(self.cluster.kubeconfig.read_text("utf-8"))["current-context"]
        return {
            "tenant_id": "tenant",
            "cluster": {"name": "tea", "kubeconfig": str(kubeconfig), "context": context, "openshift": False},
            "registry": {"login_server": "crmatcha.azurecr.io"},
            "storage": {"zenml": {"account": "matchazenmlacc", "container": "artifactstore"}},
            "identities": {"workloads": {"client_id": "client"}},
        }

    def run(self, *words: str, kubeconfig: Path | None = None, **variables: Any) -> tuple[int, str]:
        """Run the role, and return its status and what it printed."""
        given = {
            "matcha_home": str(self.folder / "home"),
            "matcha_seldon_chart": str(self.folder / RELEASE),
            "matcha_helm_binary": str(ROOT / "tools" / "helm"),
            "matcha_platform": self.platform(kubeconfig or self.cluster.kubeconfig),
            **variables,
        }
        (self.folder / "play.yml").write_text(PLAY, "utf-8")
        (self.folder / "vars.json").write_text(json.dumps(given), "utf-8")
        (foreign,) = environment_of("azcollection").glob("lib/python3*/site-packages")
        play = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "play.yml"]
        result = subprocess.run(
            [*play, "-e", "@vars.json", *words],
            cwd=self.folder,
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / 'collections'}:{foreign}",
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_LOCALHOST_WARNING": "0",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return result.returncode, result.stdout

    def changed(self, *words: str, **variables: Any) -> list[str]:
        """Run the role to its end, and return the names of the tasks that changed something."""
        status, out = self.run(*words, **variables)
        assert status == 0, out[-4000:]
        return CHANGED.findall(out)

    def versions(self) -> dict[str, str]:
        """Return the resourceVersion of each lasting object in Seldon's namespaces."""
        dynamic = kubernetes.dynamic.DynamicClient(self.api)
        found = {}
        for resource in dynamic.resources.search(namespaced=True):
            if resource.kind.endswith("List") or "list" not in resource.verbs or resource.name in LIVELY:
                continue
            for namespace in (SYSTEM, WORKLOADS):
                # Whoever leads the operators says so in one of them every few seconds.
                items = [item for item in resource.get(namespace=namespace).items if LEADER not in item.metadata.name]
                for item in items:
                    generation = item.metadata.generation or item.metadata.resourceVersion
                    found[f"{resource.group_version} {resource.kind} {namespace}/{item.metadata.name}"] = generation
        return found

    def secret(self, name: str) -> Any:
        return kubernetes.client.CoreV1Api(self.api).read_namespaced_secret(name, SYSTEM)

    def certificate(self) -> str:
        return str(self.secret("seldon-webhook-server-cert").data["tls.crt"])

    def releases(self) -> list[str]:
        found = kubernetes.client.CoreV1Api(self.api).list_namespaced_secret(SYSTEM, label_selector="owner=helm")
        return sorted(f"{item.metadata.name} {item.metadata.labels['status']}" for item in found.items)

    def ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
        """Ask the router, from the node."""
        service = kubernetes.client.CoreV1Api(self.api).read_namespaced_service("seldon-router", SYSTEM)
        url = f"http://{service.spec.cluster_ip}/seldon/{WORKLOADS}/{path}"
        words = ["curl", "--silent", "--noproxy", "*", "--write-out", "\n%{http_code}", url]
        if body is not None:
            words += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
        text, _newline, status = self.cluster.run(*words).strip().rpartition("\n")
        return int(status), text


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    needed()
    if core.trouble():
        pytest.skip(core.trouble())
    folder = tmp_path_factory.mktemp("seldon")
    core.chart(folder)
    if os.environ.get("NODE_FOLDER"):
        # A node that a person left running, while he works on these tests.
        yield World(Cluster(Path(os.environ["NODE_FOLDER"])), folder)
        return
    with running(tmp_path_factory.mktemp("node")) as cluster:
        for tar in (*core.images().values(), *images([MLSERVER, NGINX]).values()):
            cluster.import_image(tar)
        yield World(cluster, folder)


@pytest.fixture(scope="module")
def installed(world: World) -> World:
    """Return the world with Seldon Core in it."""
    world.changed()
    assert world.releases()[-1].endswith(" deployed")
    return world


def test_a_plan_needs_no_cluster(world: World, tmp_path: Path) -> None:
    changed = world.changed("--check", "--diff", kubeconfig=tmp_path / "none")
    assert changed == [
        "Make Seldon's namespace, and begin the router before the models",
        "Make the models' namespace",
        "Say that Seldon Core would be installed, where there is no cluster yet",
        "Wait for the router",
    ]


def test_a_release_under_another_licence_is_refused(world: World) -> None:
    status, out = world.run(entry="azure", matcha_seldon_core_version="1.18.2")
    assert status != 0
    assert "matcha_seldon_accept_bsl_license=true" in out


def test_a_second_run_changes_nothing(installed: World) -> None:
    before = installed.versions()
    assert len(before) > 20
    status, out = installed.run("-vvv")
    assert status == 0, out[-4000:]
    assert CHANGED.findall(out) == []
    assert installed.versions() == before
    # Helm tells every object of a chart.
    assert installed.secret("seldon-webhook-server-cert").data["tls.key"] not in out


def test_a_changed_value_changes_the_release_alone(installed: World) -> None:
    before, values = installed.versions(), {"manager": {"logLevel": "DEBUG"}}
    assert installed.changed("--check", matcha_seldon_values=values) == ["Install the chart"]
    assert installed.versions() == before
    assert installed.changed(matcha_seldon_values=values) == ["Install the chart"]
    # Its pods, the certificate, which is another one at each rendering, and Helm's own record.
    own = ("seldon-controller-manager", "seldon-webhook-server-cert", "sh.helm.release.v1.")
    moved = [name.split("/")[-1] for name, version in installed.versions().items() if before.get(name) != version]
    assert {next((each for each in own if name.startswith(each)), name) for name in moved} == set(own)


def test_the_certificate_is_renewed_before_it_ends(installed: World) -> None:
    installed.changed()
    before = installed.certificate()
    # Ten months on, and eleven and a half.
    for today, renewed in (("2027-09-24", []), ("2027-11-10", ["Install the chart"]), ("2027-11-11", [])):
        assert installed.changed(seldon_today=today) == renewed
    assert installed.certificate() != before


def test_an_installation_that_was_killed_is_carried_on(installed: World) -> None:
    installed.changed()
    last = installed.releases()[-1].split()[0]
    killed = installed.secret(last)
    revision = int(killed.metadata.labels["version"]) + 1
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(killed.data["release"]))))
    release["version"], release["info"]["status"] = revision, "pending-upgrade"
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    metadata = {
        "name": f"sh.helm.release.v1.{RELEASE}.v{revision}",
        "labels": {**killed.metadata.labels, "version": str(revision), "status": "pending-upgrade"},
    }
    api = kubernetes.client.CoreV1Api(installed.api)
    api.create_namespaced_secret(
        SYSTEM, {"type": "helm.sh/release.v1", "metadata": metadata, "data": {"release": packed}}
    )
    assert "Forget an installation that a killed run left unfinished" in installed.changed(seldon_patience=1)
    assert installed.changed() == []
    assert all("pending" not in line for line in installed.releases())


def model(name: str) -> dict[str, Any]:
    """Return the SeldonDeployment of the verification, with a model that needs no storage."""
    sys.path.insert(0, str(ROOT / "roles/seldon/files"))
    try:
        from verify_models import definition
    finally:
        del sys.path[0]
    found = definition(name, [MLSERVER, MLSERVER], {})
    found["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["initContainers"][0]["command"][-1] = TRAIN
    return found


@pytest.fixture
def deployments(installed: World) -> Iterator[Any]:
    """Yield the interface for SeldonDeployments, and remove them all afterwards."""
    api = kubernetes.client.CustomObjectsApi(installed.api)
    yield api
    for found in api.list_namespaced_custom_object(*KIND)["items"]:
        api.delete_namespaced_custom_object(*KIND, found["metadata"]["name"])


def serve(installed: World, deployments: Any, name: str) -> None:
    """Make a SeldonDeployment, and return when it is served."""

    def made() -> bool:
        try:
            deployments.create_namespaced_custom_object(*KIND, model(name))
        except kubernetes.client.ApiException as error:
            if "certificate signed by unknown authority" not in str(error):
                raise
            return False
        return True

    # The certificate of each rendering takes a minute to reach the operator: see docs/seldon.md.
    wait_for(made, "the operator to have its new certificate", 120)
    stream = kubernetes.watch.Watch().stream(
        deployments.list_namespaced_custom_object, *KIND, field_selector=f"metadata.name={name}", timeout_seconds=600
    )
    status: dict[str, Any] = {}
    for event in stream:
        status = event["object"].get("status") or {}
        if status.get("state") == "Available":
            break
    assert status.get("state") == "Available", status
    # Seldon says Available a moment before the service leads anywhere.
    wait_for(lambda: predict(installed, name)[0] not in (502, 503), "the service to lead to the model", 60)


def predict(installed: World, name: str) -> tuple[int, str]:
    """Ask a model."""
    inputs = [
        {"name": column, "shape": [2, 1], "datatype": "FP64", "data": data}
        for column, data in (("leaves", [1.0, 3.0]), ("water", [1.0, 2.0]))
    ]
    return installed.ask(f"{name}/v2/models/model/infer", {"inputs": inputs})


def assert_predicts(installed: World, name: str) -> None:
    """Fail unless a model answers as it was trained to."""
    code, text = predict(installed, name)
    assert code == 200, text
    assert json.loads(text)["outputs"][0]["data"] == pytest.approx([4.0, 9.0])


def test_a_model_is_served_by_the_path_that_zenml_calls(installed: World, deployments: Any) -> None:
    serve(installed, deployments, "tea")
    assert_predicts(installed, "tea")
    assert installed.ask("coffee/v2")[0] == 404
    # MLServer has no such path; what matters is that it was asked.
    assert "Not Found" in installed.ask("tea/api/v0.1/predictions", {"data": {"ndarray": [[1, 2]]}})[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        # The API server knows the definition of 1.17.1 …
        ({"predictors": [{"name": "default", "replicas": "two"}]}, "spec.predictors\\[0\\].replicas"),
        # … and Seldon's webhook the rest.
        ({"protocol": "morse"}, "Invalid protocol"),
    ],
)
def test_a_wrong_deployment_is_refused(deployments: Any, change: dict[str, Any], words: str) -> None:
    wrong = model("wrong")
    wrong["spec"].update(change)
    with pytest.raises(kubernetes.client.ApiException, match=words):
        deployments.create_namespaced_custom_object(*KIND, wrong)


def test_an_upgrade_keeps_what_is_served(installed: World, deployments: Any) -> None:
    api = kubernetes.client.CoreV1Api(installed.api)

    def kept() -> list[str]:
        found = deployments.list_namespaced_custom_object(*KIND)["items"]
        pods = api.list_namespaced_pod(WORKLOADS, label_selector="seldon-deployment-id=chai").items
        return sorted([each["metadata"]["uid"] for each in found] + [pod.metadata.uid for pod in pods])

    older = core.chart(installed.folder / "older", "1.16.0")
    asked = {"matcha_seldon_core_version": "1.16.0", "matcha_seldon_version": "1.7.0"}
    assert installed.changed(matcha_seldon_chart=str(older), **asked) == ["Install the chart"]
    serve(installed, deployments, "chai")
    before = kept()
    assert len(before) > 1
    assert installed.changed() == ["Install the chart"]
    assert installed.changed() == []
    assert kept() == before
    assert_predicts(installed, "chai")
