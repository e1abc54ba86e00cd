# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for Kubernetes on a real API server, with real pods."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import urllib.request
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes import wait
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.client import Access, Cluster
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.forward import Forward, Target, forwarded
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LocalLock
from tests.kubernetes import binaries
from tests.kubernetes.cluster import EXISTING, ROOT, NodeNeeded, needed, running
from tests.kubernetes.images.build import images

if TYPE_CHECKING:
    from collections.abc import Iterator

# A web server on 8080, with a shell in it.
IMAGE = "nginxinc/nginx-unprivileged:1.29-alpine"
SECRET = "s3cret-of-tea"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
POD = {"runAsNonRoot": True, "runAsUser": 101, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}

Run = "Callable[..., dict[str, Any]]"


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    needed()
    with running(tmp_path_factory.mktemp("node")) as cluster:
        # Another cluster has a registry to get it from.
        with suppress(NodeNeeded):
            for tar in images([IMAGE]).values():
                cluster.import_image(tar)
        yield str(cluster.kubeconfig)


@pytest.fixture
def cluster(kubeconfig: str) -> Cluster:
    return Cluster(Access(kubeconfig))


@pytest.fixture
def run(kubeconfig: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs one of the modules and gives its result."""

    def one(which: str, check: bool = False, **options: Any) -> dict[str, Any]:
        module = import_module(f"ansible_collections.matcha.mlops.plugins.modules.kubernetes_{which}")
        capsys.readouterr()
        arguments = {"kubeconfig": kubeconfig, **options, "_ansible_check_mode": check}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        out = capsys.readouterr().out
        assert SECRET not in out
        assert base64.b64encode(SECRET.encode()).decode() not in out
        found: dict[str, Any] = json.loads(out)
        return found

    return one


@pytest.fixture
def name(run: Run, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the name of a namespace, which is removed afterwards."""
    found = request.node.name.partition("[")[0].removeprefix("test_").replace("_", "-")[:50].strip("-")
    yield found
    run("objects", state="absent", wait=False, objects=[namespace(found)])


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}


def workload(name: str, kind: str = "Deployment", image: str = IMAGE, **more: Any) -> dict[str, Any]:
    container = {
        "name": "tea",
        "image": image,
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
        "env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "tea", "key": "password"}}}],
        "securityContext": CONTAINER,
        **more.pop("container", {}),
    }
    pods = {"securityContext": POD, "containers": [container], "terminationGracePeriodSeconds": 1}
    selector = {"matchLabels": {"app": "tea"}}
    template = {"metadata": {"labels": {"app": "tea"}}, "spec": pods}
    spec = {"replicas": 1, "selector": selector, "template": template, **more}
    if kind == "StatefulSet":
        spec["serviceName"] = "tea"
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "tea", "namespace": name}, "spec": spec}


def service(name: str) -> dict[str, Any]:
    spec = {"selector": {"app": "tea"}, "ports": [{"name": "web", "port": 80, "targetPort": "http"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "tea", "namespace": name}, "spec": spec}


def definition() -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]
    names = {"kind": "Cup", "plural": "cups", "singular": "cup"}
    spec = {"group": "tea.example", "scope": "Namespaced", "names": names, "versions": versions}
    kind = "CustomResourceDefinition"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": "cups.tea.example"},
        "spec": spec,
    }


def cup(name: str, size: Any = 3) -> dict[str, Any]:
    metadata = {"name": "big", "namespace": name}
    return {"apiVersion": "tea.example/v1", "kind": "Cup", "metadata": metadata, "spec": {"size": size}}


@pytest.fixture
def files(tmp_path: Path, name: str) -> dict[str, Any]:
    """Return a Secret and a ConfigMap out of files."""
    (tmp_path / "password").write_text(SECRET + "\n")
    (tmp_path / "conf").write_text("hot: true\n")
    return {
        "secrets": [{"name": "tea", "namespace": name, "files": {"password": str(tmp_path / "password")}}],
        "config_maps": [{"name": "conf", "namespace": name, "files": {"conf": str(tmp_path / "conf")}}],
    }


def versions(cluster: Cluster, name: str) -> dict[str, str]:
    """Return the resource versions of what we apply."""
    kinds = [("apps/v1", "Deployment"), ("v1", "Service"), ("v1", "Secret"), ("v1", "ConfigMap")]
    return {
        f"{kind} {each['metadata']['name']}": each["metadata"]["resourceVersion"]
        for api, kind in [*kinds, ("networking.k8s.io/v1", "NetworkPolicy"), ("tea.example/v1", "Cup")]
        for each in cluster.list(api, kind, name)
    }


def test_from_nothing_and_again(run: Run, cluster: Cluster, name: str, files: dict[str, Any]) -> None:
    deny = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "deny"}}
    deny = {**deny, "metadata": {"name": "deny", "namespace": name}, "spec": {"podSelector": {}}}
    wanted = [cup(name), workload(name), service(name), deny, definition(), namespace(name)]
    run("objects", state="absent", objects=[definition()])
    plan = run("objects", check=True, objects=wanted, **files)
    assert plan["changed"]
    assert len(plan["diff"]["after"]) == 8
    assert cluster.read(namespace(name)) is None

    first = run("objects", objects=wanted, labels={"app.kubernetes.io/part-of": "matcha"}, **files)
    assert first["changed"], first
    assert first.get("warnings", []) == []
    found = cluster.read(workload(name))
    assert found
    assert found["status"]["availableReplicas"] == 1
    before = versions(cluster, name)
    assert len(before) >= 7

    second = run("objects", objects=wanted, labels={"app.kubernetes.io/part-of": "matcha"}, **files)
    assert not second["changed"], second["diff"]
    assert versions(cluster, name) == before


def test_one_property_changed_alone(run: Run, cluster: Cluster, name: str, files: dict[str, Any]) -> None:
    wanted = [namespace(name), workload(name), service(name)]
    run("objects", objects=wanted, **files)
    before = versions(cluster, name)
    wanted[1]["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "HOT", "value": "yes"})
    plan = run("objects", check=True, objects=wanted, **files)
    assert list(plan["diff"]["after"]) == [f"Deployment {name}/tea"]
    assert versions(cluster, name) == before
    result = run("objects", objects=wanted, **files)
    assert result["diff"] == plan["diff"]
    changed = {key for key, value in versions(cluster, name).items() if value != before[key]}
    assert changed == {"Deployment tea"}


def test_drift_is_mended_and_what_is_foreign_stays(
    run: Run, cluster: Cluster, name: str, files: dict[str, Any]
) -> None:
    wanted = [namespace(name), service(name)]
    run("objects", objects=wanted, **files)
    path = str(cluster.path(service(name)))
    by_hand = {"metadata": {"annotations": {"foreign": "yes"}}, "spec": {"ports": [{"port": 80, "targetPort": 99}]}}
    cluster.request("PATCH", path, "Meddling", body=by_hand, content_type="application/strategic-merge-patch+json")
    result = run("objects", objects=wanted, **files)
    assert list(result["diff"]["after"]) == [f"Service {name}/tea"]
    found = cluster.read(service(name))
    assert found
    assert found["spec"]["ports"][0]["targetPort"] == "http"
    assert found["metadata"]["annotations"] == {"foreign": "yes"}


def test_a_secret_that_changes_replaces_the_pods(
    run: Run, cluster: Cluster, name: str, files: dict[str, Any], tmp_path: Path
) -> None:
    wanted = [namespace(name), workload(name)]
    run("objects", objects=wanted, **files)
    before = {each["metadata"]["name"] for each in cluster.list("v1", "Pod", name)}
    (tmp_path / "password").write_text("another one")
    result = run("objects", objects=wanted, **files)
    assert sorted(result["diff"]["after"]) == [f"Deployment {name}/tea", f"Secret {name}/tea"]
    assert "another one" not in json.dumps(result).replace("(hidden, another one)", "")
    running = {
        each["metadata"]["name"]
        for each in cluster.list("v1", "Pod", name)
        if not each["metadata"].get("deletionTimestamp")
    }
    assert not running & before
    assert not run("objects", objects=wanted, **files)["changed"]


def test_a_stateful_set_with_a_claim(run: Run, cluster: Cluster, name: str, files: dict[str, Any]) -> None:
    wanted = [namespace(name), workload(name, "StatefulSet")]
    assert run("objects", objects=wanted, **files)["changed"]
    assert not run("objects", objects=wanted, **files)["changed"]
    assert cluster.list("v1", "PersistentVolumeClaim", name)[0]["status"]["phase"] == "Bound"
    wanted[1]["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] = "2Gi"
    refused = run("objects", objects=wanted, **files)
    assert refused["failed"]
    assert "--cascade=orphan" in refused["msg"]
    assert refused["failure"]["status"] == 422


def test_what_the_server_refuses(run: Run, name: str, files: dict[str, Any]) -> None:
    run("objects", objects=[namespace(name), definition()], **files)
    assert (
        "expected numeric (int or float), got string" in run("objects", check=True, objects=[cup(name, "big")])["msg"]
    )
    bad = workload(name)
    bad["spec"]["template"]["metadata"]["labels"] = {"app": "coffee"}
    refused = run("objects", objects=[bad], **files)
    assert f"Applying Deployment {name}/tea" in refused["msg"] or f"Trying Deployment {name}/tea" in refused["msg"]
    assert "`selector` does not match template `labels`" in refused["msg"]
    unsafe = workload(name, container={"securityContext": {}})
    result = run("objects", objects=[unsafe], wait=False, **files)
    assert "PodSecurity" in json.dumps(result.get("warnings", [])) or not result.get("failed")


def test_a_policy_that_lets_no_pod_in(
    run: Run, name: str, files: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait, "PATIENCE", 0.0)
    unsafe = workload(name, container={"securityContext": {}})
    result = run("objects", objects=[namespace(name), unsafe], wait_timeout=60, **files)
    assert result["failed"]
    # What was done before it failed is told.
    assert result["changed"]
    assert "violates PodSecurity" in result["msg"]


def test_an_image_that_does_not_exist(
    run: Run, name: str, files: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(wait, "PATIENCE", 0.0)
    wrong = workload(name, image="registry.test/no-such-tea:1", container={"imagePullPolicy": "Never"})
    progress = tmp_path / "progress"
    told = {"wait_timeout": 60, "progress_file": str(progress)}
    result = run("objects", objects=[namespace(name), wrong], **told, **files)
    assert result["failed"]
    assert "ErrImageNeverPull" in result["msg"]
    assert f"waiting for Deployment {name}/tea (0 of 1 pods are available" in progress.read_text()


def shell(name: str, script: str, **more: Any) -> dict[str, Any]:
    container = {
        "name": "shell",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "tea", "key": "password"}}}],
        "securityContext": CONTAINER,
    }
    spec = {"template": {"spec": {"securityContext": POD, "containers": [container]}}, **more}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "boil", "namespace": name}, "spec": spec}


REPORT = """echo "the password is $PASSWORD"; echo '{"cups": 2}'; echo bye"""


def test_a_job_runs_once_for_each_content(
    run: Run, cluster: Cluster, name: str, files: dict[str, Any], tmp_path: Path
) -> None:
    job = shell(name, REPORT)
    plan = run("job", check=True, definition=job, **files)
    assert plan["changed"]
    assert plan["succeeded"] is None
    run("objects", objects=[namespace(name)])
    first = run("job", definition=job, **files)
    assert first["changed"], first
    assert first["log"] == "the password is (hidden)\n" + '{"cups": 2}\nbye'
    assert first["report"] == {"cups": 2}
    jobs = cluster.list("batch/v1", "Job", name)
    again = run("job", definition=job, **files)
    assert not again["changed"]
    assert again["report"] == {"cups": 2}
    assert cluster.list("batch/v1", "Job", name) == jobs
    # Another content is another Job, which takes the place of the first.
    (tmp_path / "password").write_text("another one")
    assert run("job", definition=job, **files)["changed"]
    after = cluster.list("batch/v1", "Job", name)
    assert len(after) == 1
    assert after[0]["metadata"]["name"] != jobs[0]["metadata"]["name"]


def test_a_job_can_be_run_again_as_no_change(run: Run, cluster: Cluster, name: str, files: dict[str, Any]) -> None:
    run("objects", objects=[namespace(name)])
    told = {"definition": shell(name, REPORT), "rerun": True, "changed_when_run": False}
    first = run("job", **told, **files)
    jobs = cluster.list("batch/v1", "Job", name)
    second = run("job", **told, **files)
    assert [first["changed"], second["changed"]] == [False, False]
    assert second["ran"]
    assert cluster.list("batch/v1", "Job", name)[0]["metadata"]["uid"] != jobs[0]["metadata"]["uid"]


def test_a_job_that_fails_shows_its_last_words(run: Run, name: str, files: dict[str, Any]) -> None:
    run("objects", objects=[namespace(name)])
    bad = shell(name, "echo no water for $PASSWORD; exit 3", backoffLimit=0)
    result = run("job", definition=bad, **files)
    assert result["failed"]
    assert result["msg"].endswith("The last lines of its log:\nno water for (hidden)")
    # It is run again, and not taken for done.
    assert run("job", definition=bad, **files)["failed"]


def test_a_job_that_is_removed_when_it_is_done(run: Run, cluster: Cluster, name: str, files: dict[str, Any]) -> None:
    run("objects", objects=[namespace(name)])
    job = shell(name, REPORT, ttlSecondsAfterFinished=86400)
    assert run("job", definition=job, **files)["ran"]
    run("objects", state="absent", objects=cluster.list("batch/v1", "Job", name))
    again = run("job", definition=job, **files)
    assert not again["ran"]
    assert again["report"] == {"cups": 2}
    assert run("job", definition=job, rerun=True, **files)["ran"]


def test_a_job_whose_task_was_killed_is_found_again(
    run: Run, cluster: Cluster, name: str, files: dict[str, Any]
) -> None:
    run("objects", objects=[namespace(name)])
    job = shell(name, "until [ -e /dev/shm/go ]; do sleep 0.2; done; " + REPORT, activeDeadlineSeconds=120)
    begun = run("job", definition=job, wait_timeout=2, **files)
    assert "Not ready within 2 s" in begun["msg"]
    there = cluster.list("batch/v1", "Job", name)
    assert len(there) == 1
    again = run("job", definition=job, wait_timeout=2, **files)
    assert "Not ready within 2 s" in again["msg"]
    assert [each["metadata"]["uid"] for each in cluster.list("batch/v1", "Job", name)] == [there[0]["metadata"]["uid"]]


def test_nothing_is_written_without_the_lock(run: Run, cluster: Cluster, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "deployment"
    folder.mkdir(mode=0o700)
    lock = LocalLock(folder)
    token = lock.try_acquire("test")
    assert token
    told = {"objects": [namespace(name)], "deployment": str(folder)}
    refused = run("objects", run="another", **told)
    assert "does not hold the lock any more" in refused["msg"]
    assert cluster.read(namespace(name)) is None
    assert run("objects", run=token, **told)["changed"]
    lock.release(token)


def test_removal_waits_for_the_end(run: Run, cluster: Cluster, name: str, files: dict[str, Any]) -> None:
    wanted = [namespace(name), workload(name), service(name)]
    run("objects", objects=wanted, **files)
    assert run("objects", check=True, state="absent", objects=wanted, **files)["changed"]
    assert cluster.read(namespace(name))
    assert run("objects", state="absent", objects=wanted, **files)["changed"]
    assert cluster.read(namespace(name)) is None
    assert not run("objects", state="absent", objects=wanted, **files)["changed"]


def test_openshifts_client_does_the_same(run: Run, name: str, files: dict[str, Any]) -> None:
    wanted = [namespace(name), service(name)]
    assert run("objects", openshift=True, objects=wanted, **files)["changed"]
    assert not run("objects", openshift=False, objects=wanted, **files)["changed"]


def test_what_a_cluster_is(run: Run) -> None:
    found = run("cluster_info")["cluster"]
    assert found["version"] == binaries.version().removeprefix("v") or EXISTING
    assert found["issuer_url"].startswith("https://")
    assert not found["openshift"]
    # The test node has no agent that would.
    assert found["network_policy"] == {"enforced": False, "by": None}
    assert any(each["provisioner"] for each in found["storage_classes"])


def test_what_is_in_a_cluster(run: Run, name: str, files: dict[str, Any]) -> None:
    run("objects", objects=[namespace(name)], labels={"kind": "green"}, **files)
    found = run("objects_info", kind="Secret", namespace=name, label_selectors=["kind=green"])["objects"]
    assert [each["metadata"]["name"] for each in found] == ["tea"]
    assert found[0]["data"] == {"password": "(hidden)"}
    assert run("objects_info", kind="Secret", namespace=name, label_selectors=["kind=black"])["objects"] == []
    assert run("objects_info", kind="Tea", api_version="tea.example/v9")["objects"] == []
    found = run("objects_info", kind="Namespace", name=name)["objects"]
    assert found[0]["status"]["phase"] == "Active"


def fetch(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=20) as answer:
        return bytes(answer.read())


def test_a_server_in_the_cluster_is_reached(
    run: Run, cluster: Cluster, kubeconfig: str, name: str, files: dict[str, Any]
) -> None:
    run("objects", objects=[namespace(name), workload(name), service(name)], **files)
    with forwarded(kubeconfig, "", name, "tea", 80) as url:
        answers = [fetch(url) for _ in range(3)]
        assert len(set(answers)) == 1
        # The pod is replaced under it.
        (pod,) = cluster.list("v1", "Pod", name)
        run("objects", state="absent", objects=[pod])
        run("objects", objects=[workload(name)], **files)
        assert fetch(url)
    with pytest.raises(OSError, match=r"refused|Connection"):
        fetch(url)


def test_large_answers_come_whole(run: Run, kubeconfig: str, name: str, files: dict[str, Any], tmp_path: Path) -> None:
    text = "".join(f"{number} cups of tea\n" for number in range(40_000))
    (tmp_path / "conf").write_text(text)
    mount = {"name": "conf", "mountPath": "/usr/share/nginx/html/large"}
    served = workload(name, container={"volumeMounts": [mount]})
    served["spec"]["template"]["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": "conf"}}]
    run("objects", objects=[namespace(name), served, service(name)], **files)
    with forwarded(kubeconfig, "", name, "tea", 80) as url:
        assert fetch(f"{url}/large/conf").decode() == text


@pytest.mark.parametrize(
    ("service_name", "port", "sentence"),
    [("coffee", 80, "There is no Service"), ("kubernetes", 81, "has no port 81")],
)
def test_a_way_that_leads_nowhere(kubeconfig: str, service_name: str, port: int, sentence: str) -> None:
    forward = Forward(Access(kubeconfig), Target("default", service_name, port))
    with pytest.raises(Exception, match=sentence):
        forward.check()
    forward.close()


def playbook(folder: Path, tasks: list[dict[str, Any]], *arguments: str) -> str:
    """Run tasks by Ansible, and return what it prints."""
    path = folder / "play.yml"
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    path.write_text(yaml.safe_dump([play]))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(path), "-i", "localhost,", *arguments]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT, timeout=300)
    assert found.returncode == 0, found.stdout + found.stderr
    # A warning is broken into lines.
    return " ".join((found.stdout + found.stderr).split())


def test_ports_stay_open_after_the_playbook(
    run: Run, kubeconfig: str, name: str, files: dict[str, Any], tmp_path: Path
) -> None:
    run("objects", objects=[namespace(name), workload(name), service(name)], **files)
    told = {"kubeconfig": kubeconfig, "folder": str(tmp_path / "ways")}
    forwards = {"tea": {"namespace": name, "service": "tea", "port": 80}}
    opening = {"matcha.mlops.kubernetes_port_forward": {**told, "forwards": forwards}, "register": "opened"}
    closing = {"matcha.mlops.kubernetes_port_forward": {**told, "state": "absent"}, "register": "closed"}
    opened = {"ansible.builtin.debug": {"msg": "<{{ opened.forwards.tea.url }} {{ opened.changed }}>"}}
    closed = {"ansible.builtin.debug": {"msg": "<closed {{ closed.changed }}>"}}
    try:
        said = re.findall("<(.*?)>", playbook(tmp_path, [opening, opened, opening, opened]))
        url = said[0].split()[0]
        assert said == [f"{url} True", f"{url} False"]
        assert fetch(url)
        # The next time it is the same address.
        said = re.findall("<(.*?)>", playbook(tmp_path, [closing, closed, closing, closed, opening, opened]))
        assert said == ["closed True", "closed False", f"{url} True"]
        assert fetch(url)
        # What is gone leads nowhere, and says so.
        run("objects", state="absent", objects=[service(name)])
        assert f"There is no Service {name}/tea" in playbook(tmp_path, [opening])
    finally:
        playbook(tmp_path, [closing])
    with pytest.raises(OSError, match=r"refused|Connection"):
        fetch(url)


def test_by_ansible_with_the_platforms_cluster(kubeconfig: str, name: str, tmp_path: Path) -> None:
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.set_fact": {"matcha_platform": {"cluster": {"kubeconfig": kubeconfig, "openshift": False}}}},
        {"matcha.mlops.kubernetes_objects": {"objects": [namespace(name)]}},
    ]
    assert "changed=1" in playbook(tmp_path, tasks, "--check", "--diff")
    assert "changed=1" in playbook(tmp_path, tasks)
    assert "changed=0" in playbook(tmp_path, tasks)
