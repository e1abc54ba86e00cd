# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a Job to its end, once for each content: a run that was killed is found again and waited for."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import MatchaError
from .client import Cluster, selector
from .content import redacted, values_of
from .errors import KubernetesError, UnreachableError, UnreadyError
from .model import Object, Wanted, check, checksum, label, shown
from .objects import applied, removed
from .ready import FailedError, unready
from .trouble import pods_of
from .wait import Waiter

# By this label all Jobs of one name are found, whatever their content.
NAME = "matcha.mlops/job"
# What the annotation of a record says: the content that succeeded, where its Job may be gone by now.
DONE = "matcha.mlops/done"
LOG_LIMIT = 64 * 1024


@dataclass
class JobRun:
    """One Job with the Secrets and ConfigMaps that it uses."""

    cluster: Cluster
    definition: Object
    contents: Sequence[Wanted]
    timeout: float
    say: Callable[[str], None] = lambda _text: None
    rerun: bool = False
    _hidden: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Give the Job the name of its content."""
        self.definition = _completed(check(self.definition))
        self.base = self.definition["metadata"]["name"]
        self.namespace = self.definition["metadata"].get("namespace", "")
        if not self.namespace or self.definition["kind"] != "Job":
            raise MatchaError(f"{label(self.definition)}: the definition must be of a Job, with metadata.namespace.")
        self.unknown = any(each.unknown for each in self.contents)
        data = [(each.label, each.object.get("data"), each.object.get("binaryData")) for each in self.contents]
        self.content = checksum(self.definition, data)
        self.job = copy.deepcopy(self.definition)
        self.job["metadata"]["name"] = f"{self.base[:50]}-{self.content[:8]}"
        for metadata in (self.job["metadata"], self.job["spec"]["template"].setdefault("metadata", {})):
            metadata["labels"] = {**(metadata.get("labels") or {}), NAME: self.base[:63]}
        self._hidden = values_of(self.contents)

    def run(self, apply: bool) -> dict[str, Any]:
        """Run it, unless it succeeded already, and return what came of it; or say whether it would run."""
        try:
            there = self._there()
            done = None if self.rerun else self._done(there)
        except UnreachableError:
            if apply:
                raise
            there, done = {}, None
        if done is not None:
            return {"ran": False, **done}
        if not apply:
            after = {label(self.job): shown(self.job)}
            return {"ran": True, "diff": {"before": {}, "after": after}, "succeeded": None, "log": "", "report": {}}
        return {"ran": True, "diff": {"before": {}, "after": {label(self.job): shown(self.job)}}, **self._run(there)}

    def _there(self) -> dict[str, Object]:
        """Return all Jobs of this name, whatever their content, by their own names."""
        told = selector({NAME: self.base[:63]})
        jobs = self.cluster.list("batch/v1", "Job", self.namespace, label_selector=told)
        return {each["metadata"]["name"]: each for each in jobs}

    def _done(self, there: Mapping[str, Object]) -> dict[str, Any] | None:
        """Return what came of it, if it succeeded before; None if it has to run."""
        names = list(there) if self.unknown else [self.job["metadata"]["name"]]
        for name in names:
            if name in there and _state(there[name]) == "succeeded":
                return self._outcome(there[name])
        record = self.cluster.read(self._record()) if "ttlSecondsAfterFinished" in self.job["spec"] else None
        if record and (self.unknown or record["metadata"].get("annotations", {}).get(DONE) == self.content):
            return {"succeeded": True, "log": "", "report": json.loads(record.get("data", {}).get("report", "{}"))}
        return None

    def _run(self, there: dict[str, Object]) -> dict[str, Any]:
        deadline = time.monotonic() + self.timeout
        name = self.job["metadata"]["name"]
        for other, job in there.items():
            if other != name and _state(job) == "active":
                self._settle(job, deadline)
        same = there.get(name)
        if same is not None and _state(same) != "active":
            self._remove(same)
            same = None
        if same is None:
            applied(self.cluster, self.contents, apply=True)
            same = applied(self.cluster, [Wanted(self.job)], apply=True).objects[0]
        waiter = Waiter(self.cluster, max(deadline - time.monotonic(), 1), self.say, self._hidden)
        outcome = self._outcome(waiter.wait([same])[label(same)])
        self._remember(outcome["report"])
        for other, job in self._there().items():
            if other != name:
                self._remove(job)
        return outcome

    def _settle(self, job: Object, deadline: float) -> None:
        """Let a Job of another content come to its end: it may be half through a migration."""
        try:
            Waiter(self.cluster, max(deadline - time.monotonic(), 1), self.say, self._hidden).wait([job])
        except UnreadyError:
            now = self.cluster.read(job)
            if now and (now.get("status") or {}).get("ready"):
                raise
        self._remove(job)

    def _remove(self, job: Object) -> None:
        removed(self.cluster, [Wanted(job)], apply=True, wait=self.timeout, say=self.say)

    def _record(self) -> Object:
        metadata = {"name": f"{self.base[:50]}-done", "namespace": self.namespace}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}

    def _remember(self, report: Mapping[str, Any]) -> None:
        """Write down that it succeeded, if its Job will not stay."""
        if "ttlSecondsAfterFinished" not in self.job["spec"]:
            return
        record = self._record()
        labels = {**(self.definition["metadata"].get("labels") or {}), NAME: self.base[:63]}
        record["metadata"].update(labels=labels, annotations={DONE: self.content})
        applied(self.cluster, [Wanted({**record, "data": {"report": json.dumps(report)}})], apply=True)

    def _outcome(self, job: Object) -> dict[str, Any]:
        """Return what a Job that succeeded wrote."""
        text = redacted(self._log(job), self._hidden)
        return {"succeeded": True, "log": text, "report": report_of(text)}

    def _log(self, job: Object) -> str:
        pods = [each for each in pods_of(self.cluster, job) or () if each["status"].get("phase") == "Succeeded"]
        for pod in pods[:1]:
            name = pod["metadata"]["name"]
            path = f"/api/v1/namespaces/{self.namespace}/pods/{name}/log"
            container = pod["spec"]["containers"][0]["name"]
            try:
                text = self.cluster.text(path, f"Reading the log of pod {name}", container=container)
            except KubernetesError as error:
                # Its node may be gone, and its log with it.
                if error.status not in (400, 404, 500):
                    raise
                return ""
            return text[-LOG_LIMIT:].strip()
        return ""


def _completed(definition: Object) -> Object:
    """Return the definition with what a Job of ours has unless it says otherwise."""
    definition.setdefault("spec", {}).setdefault("backoffLimit", 2)
    pods = definition["spec"].setdefault("template", {}).setdefault("spec", {})
    # So that each try leaves a log.
    pods.setdefault("restartPolicy", "Never")
    return definition


def _state(job: Object) -> str:
    try:
        return "active" if unready(job) else "succeeded"
    except FailedError:
        return "failed"


def report_of(text: str) -> dict[str, Any]:
    """Return the last line that is a JSON object; an empty one if there is none."""
    for line in reversed(text.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return {}
