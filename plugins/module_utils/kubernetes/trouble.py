# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why pods are not ready, as far as Kubernetes knows: scheduling, images, crashes, mounts, policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .client import Cluster, selector
from .errors import KubernetesError
from .model import Object, label
from .ready import condition, seen

LINES = 20
REVISION = "deployment.kubernetes.io/revision"
# What tells an image that is not there from one that cannot be had at the moment.
MISSING = ("not found", "manifest unknown", "does not exist", "name unknown")
NEVER = ("ErrImageNeverPull", "InvalidImageName")
PULLS = ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", *NEVER)
CONFIGURATION = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")


@dataclass(frozen=True)
class Trouble:
    """What keeps a pod; ``hopeless`` is what will most likely not pass by itself."""

    text: str
    hopeless: bool = False
    # Where to find the last words of a container: namespace, pod, container.
    log: tuple[str, str, str] | None = None
    # How often it was started again.
    crashes: int = 0


def troubles(cluster: Cluster, item: Object) -> list[Trouble]:
    """Return what keeps the pods of a workload, the worst first; nothing where all is as it should be."""
    pods = pods_of(cluster, item)
    if pods is None:
        return []
    found = [each for pod in pods for each in _of_pod(cluster, pod)]
    if not pods or (item["kind"] == "Deployment" and len(pods) < item["spec"].get("replicas", 1)):
        found += _refusals(cluster, item)
    return sorted(found, key=lambda each: (not each.crashes, not each.hopeless))


def pods_of(cluster: Cluster, item: Object) -> list[Object] | None:
    """Return the pods of a workload's latest template, the newest first; None where a kind has none.

    What an older template has left says nothing, and neither does anything before the controller knows the latest.
    """
    kind, name, namespace = item["kind"], item["metadata"]["name"], item["metadata"].get("namespace", "")
    if kind == "Pod":
        return [item]
    if kind == "Job":
        return _labelled(cluster, namespace, {"job-name": name})
    if kind == "SeldonDeployment":
        told = selector({"seldon-deployment-id": name})
        ours = cluster.list("apps/v1", "Deployment", namespace, label_selector=told)
        return [pod for each in ours for pod in pods_of(cluster, each) or ()]
    labels = dict(((item.get("spec") or {}).get("selector") or {}).get("matchLabels") or {})
    if kind not in LATEST or not labels or not seen(item):
        return None
    return _labelled(cluster, namespace, {**labels, **LATEST[kind](cluster, item)})


def _labelled(cluster: Cluster, namespace: str, labels: Mapping[str, str]) -> list[Object]:
    pods = cluster.list("v1", "Pod", namespace, label_selector=selector(labels))
    return sorted(pods, key=lambda each: str(each["metadata"].get("creationTimestamp")), reverse=True)


def _of_deployment(cluster: Cluster, item: Object) -> dict[str, str]:
    labels = dict((item["spec"]["selector"]).get("matchLabels") or {})
    newest = _newest_set(cluster, item["metadata"].get("namespace", ""), item["metadata"], labels)
    found = ((newest or {}).get("metadata") or {}).get("labels") or {}
    return {"pod-template-hash": found["pod-template-hash"]} if "pod-template-hash" in found else {}


def _of_stateful_set(_cluster: Cluster, item: Object) -> dict[str, str]:
    revision = item["status"].get("updateRevision")
    return {"controller-revision-hash": revision} if revision else {}


def _of_daemon_set(_cluster: Cluster, item: Object) -> dict[str, str]:
    generation = (item["metadata"].get("annotations") or {}).get("deprecated.daemonset.template.generation")
    return {"pod-template-generation": generation} if generation else {}


# What labels tell the pods of the latest template.
LATEST: dict[str, Callable[[Cluster, Object], dict[str, str]]] = {
    "Deployment": _of_deployment,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
}


def _newest_set(
    cluster: Cluster, namespace: str, metadata: Mapping[str, Any], labels: Mapping[str, str]
) -> Object | None:
    """Return the ReplicaSet of a Deployment's latest template."""
    sets = [
        each
        for each in cluster.list("apps/v1", "ReplicaSet", namespace, label_selector=selector(labels))
        if any(owner.get("uid") == metadata.get("uid") for owner in each["metadata"].get("ownerReferences") or ())
    ]
    return max(sets, key=lambda each: int((each["metadata"].get("annotations") or {}).get(REVISION, 0)), default=None)


def _of_pod(cluster: Cluster, pod: Object) -> Iterator[Trouble]:
    status, name = pod.get("status") or {}, label(pod).replace("Pod ", "pod ")
    if status.get("phase") == "Succeeded" or condition(pod, "Ready").get("status") == "True":
        return
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        yield Trouble(f"{name} finds no node: {scheduled.get('message') or scheduled.get('reason')}")
        return
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    found = [each for each in (_of_container(pod, name, one) for one in containers) if each]
    # An init container's trouble is why the others wait.
    worse = [each for each in found if each.hopeless or each.log] or found[:1]
    yield from worse
    if not any(each.log or each.hopeless for each in worse):
        yield from _last_event(cluster, pod, name)


def _of_container(pod: Object, name: str, told: Mapping[str, Any]) -> Trouble | None:
    state = told.get("state") or {}
    where = (pod["metadata"]["namespace"], pod["metadata"]["name"], told["name"])
    who = f"{name}, container {told['name']}"
    waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message") or ""
    if reason in PULLS:
        gone = reason in NEVER or any(each in message.casefold() for each in MISSING)
        return Trouble(f"{who}: {reason} of {told.get('image')}: {message or 'no reason is given'}", hopeless=gone)
    if reason == "CrashLoopBackOff":
        restarts = int(told.get("restartCount", 0))
        last = (told.get("lastState") or {}).get("terminated") or {}
        why = f"{last.get('reason', 'it ended')}, exit status {last.get('exitCode', '?')}"
        return Trouble(f"{who} crashed {restarts} times ({why})", log=where, crashes=restarts)
    if reason in CONFIGURATION:
        return Trouble(f"{who}: {reason}: {message}", hopeless=True)
    if waiting:
        return Trouble(f"{who}: {reason}{': ' + message if message else ''}")
    if ended and ended.get("exitCode"):
        return Trouble(f"{who} ended with status {ended['exitCode']} ({ended.get('reason')})", log=where)
    if state.get("running") and not told.get("ready") and told.get("started") is not None:
        return Trouble(f"{who} runs, and is not ready yet")
    return None


def _last_event(cluster: Cluster, pod: Object, name: str) -> Iterator[Trouble]:
    """Yield what was last warned of: a volume that cannot be mounted, a probe that fails."""
    for text in _warnings(cluster, pod["metadata"]["namespace"], pod["metadata"]["name"])[-1:]:
        yield Trouble(f"{name}: {text}")


def _refusals(cluster: Cluster, item: Object) -> list[Trouble]:
    """Return why the controller could not make pods: a policy, a quota, a service account that is missing."""
    metadata = item["metadata"]
    names = [metadata["name"]]
    if item["kind"] == "Deployment":
        labels = (item["spec"].get("selector") or {}).get("matchLabels") or {}
        newest = _newest_set(cluster, metadata.get("namespace", ""), metadata, labels)
        names = [newest["metadata"]["name"]] if newest else []
    found = [text for name in names for text in _warnings(cluster, metadata.get("namespace", ""), name)]
    return [Trouble(text, hopeless="forbidden" in text or "Invalid" in text) for text in found[-1:]]


def _warnings(cluster: Cluster, namespace: str, name: str) -> list[str]:
    """Return what Kubernetes warned of an object, the latest last."""
    where = f"involvedObject.name={name},type=Warning"
    try:
        events = cluster.list("v1", "Event", namespace, field_selector=where)
    except KubernetesError:
        # Not everybody may read events.
        return []

    def when(event: Mapping[str, Any]) -> str:
        return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp"))

    return [f"{each.get('reason')}: {' '.join(str(each.get('message')).split())}" for each in sorted(events, key=when)]


def last_words(cluster: Cluster, where: tuple[str, str, str], lines: int = LINES) -> str:
    """Return the last lines that a container wrote, before its last restart if there was one."""
    namespace, pod, container = where
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
    for previous in ("true", "false"):
        try:
            text = cluster.text(
                path, f"Reading the log of pod {pod}", container=container, previous=previous, tailLines=lines
            )
        except KubernetesError:
            continue
        if text.strip():
            return text.strip()
    return ""
