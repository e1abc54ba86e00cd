# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server refuses becomes a sentence that says what to do. The messages are recorded ones."""

from __future__ import annotations

import json

import pytest
from kubernetes.client import ApiException

from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.errors import translate

CASES = [
    (401, "Unauthorized", "Unauthorized", "", "credential in the kubeconfig"),
    (
        403,
        "Forbidden",
        'deployments.apps "tea" is forbidden: User "joe" cannot get resource "deployments" in API group "apps"',
        "",
        "Give who signs in the right",
    ),
    (
        403,
        "Forbidden",
        'pods "tea" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
        "",
        "Give the pod the security context",
    ),
    (
        403,
        "Forbidden",
        'pods "tea" is forbidden: exceeded quota: q, requested: pods=1, used: pods=10, limited: pods=10',
        "",
        "ResourceQuota",
    ),
    (
        403,
        "Forbidden",
        'secrets "tea" is forbidden: unable to create new content in namespace tea because it is being terminated',
        "",
        "Wait until the namespace is gone",
    ),
    (404, "NotFound", 'namespaces "tea" not found', "", "Make the namespace first"),
    (404, "NotFound", "the server could not find the requested resource", "", "CustomResourceDefinition"),
    (
        409,
        "Conflict",
        'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas',
        "",
        "force_conflicts=true",
    ),
    (
        422,
        "Invalid",
        'Job.batch "tea" is invalid: spec.template: Invalid value: {"metadata":{}}: field is immutable',
        "Job",
        "kubernetes_job",
    ),
    (
        422,
        "Invalid",
        'StatefulSet.apps "tea" is invalid: spec: Forbidden: updates to statefulset spec for fields other than '
        "'replicas', 'ordinals', 'template' are forbidden",
        "StatefulSet",
        "--cascade=orphan",
    ),
    (
        422,
        "Invalid",
        'PersistentVolumeClaim "tea" is invalid: spec: Forbidden: spec is immutable after creation',
        "PersistentVolumeClaim",
        "can only grow",
    ),
    (
        422,
        "Invalid",
        'RoleBinding.rbac.authorization.k8s.io "tea" is invalid: roleRef: Invalid value: cannot change roleRef',
        "RoleBinding",
        "delete the binding first",
    ),
    (422, "Invalid", 'Deployment.apps "tea" is invalid: spec.selector: field is immutable', "Deployment", "made anew"),
    (413, "RequestEntityTooLarge", "limit is 3145728", "", "1.5 MB"),
]


@pytest.mark.parametrize(("status", "reason", "message", "kind", "advice"), CASES)
def test_a_refusal(status: int, reason: str, message: str, kind: str, advice: str) -> None:
    error = ApiException(status=status, reason=reason)
    error.body = json.dumps({"kind": "Status", "message": message, "reason": reason, "code": status}).encode()
    found = translate("Applying Tea tea/tea", error, kind)
    assert str(found).startswith("Applying Tea tea/tea: ")
    assert message.split(":", maxsplit=1)[0] in str(found)
    assert advice in str(found)
    assert found.details["failure"] == {"code": reason, "message": message, "status": status}


def test_an_answer_that_is_not_kubernetes_own() -> None:
    error = ApiException(status=502, reason="Bad Gateway")
    error.body = "<html>nginx</html>"
    assert str(translate("Reading Tea", error)) == "Reading Tea: <html>nginx</html> (HTTP 502)."
