# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role gateway would apply. There are no definitions of its kinds here: nothing of it runs in a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = [ROOT / f"roles/{role}/defaults/main.yml" for role in ("stack", "kubernetes", "gateway")]
VARIABLES = [ROOT / f"roles/{role}/vars/main.yml" for role in ("kubernetes", "gateway")]
Objects = list[dict[str, Any]]


@pytest.fixture
def rendered(tmp_path: Path) -> Callable[..., Objects]:
    """Return what renders one of the role's templates."""

    def one(template: str, openshift: bool = False, **given: Any) -> Objects:
        path = ROOT / f"roles/gateway/templates/{template}.yaml.j2"
        text = f"{{{{ lookup('ansible.builtin.template', '{path}') | from_yaml_all | select | list | to_json }}}}"
        facts = {
            "matcha_domain": "tea.example",
            "matcha_deployment": {"matcha_uuid": "1", "components": ["zenml", "mlflow", "seldon", "chroma"]},
            "matcha_platform": {"tenant_id": "tenant", "cluster": {"openshift": openshift}},
            **given,
        }
        play = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars_files": [str(each) for each in (*DEFAULTS, *VARIABLES)],
            "vars": {
                "kubernetes_namespace": "matcha-gateway",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            },
            "tasks": [{"ansible.builtin.copy": {"content": text, "dest": str(tmp_path / "out.json"), "mode": "0600"}}],
        }
        (tmp_path / "play.yml").write_text(json.dumps([play]), "utf-8")
        command = [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", tmp_path / "play.yml"]
        result = subprocess.run(
            [*command, "-e", json.dumps(facts)],
            env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        found: Objects = json.loads((tmp_path / "out.json").read_text("utf-8"))
        return found

    return one


def of(kind: str, objects: Objects) -> Objects:
    return [each for each in objects if each["kind"] == kind]


def rules(objects: Objects) -> dict[str, dict[str, Any]]:
    """Return what the gateway lets through, by name."""
    (policy,) = of("AuthorizationPolicy", objects)
    assert policy["spec"]["action"] == "ALLOW"
    return {rule["to"][0]["operation"]["hosts"][0]: rule for rule in policy["spec"]["rules"]}


def test_what_asks_nobody_who_he_is_gets_no_name(rendered: Callable[..., Objects]) -> None:
    objects = rendered("gateway")
    names = {"zenml.tea.example", "mlflow.tea.example"}
    assert set(rules(objects)) == names
    assert {route["spec"]["hostnames"][0] for route in of("HTTPRoute", objects)} == names
    assert of("RequestAuthentication", objects) == []


def test_with_tokens_models_and_chroma_are_exposed_to_those_who_bring_one(rendered: Callable[..., Objects]) -> None:
    objects = rendered("gateway", matcha_gateway_audience="tea-client")
    guarded = {name for name, rule in rules(objects).items() if "from" in rule}
    assert guarded == {"models.tea.example", "chroma.tea.example"}
    issuer = "https://login.microsoftonline.com/tenant/v2.0"
    for name in guarded:
        assert rules(objects)[name]["from"] == [{"source": {"requestPrincipals": [f"{issuer}/*"]}}]
    (asked,) = of("RequestAuthentication", objects)
    assert asked["spec"]["jwtRules"][0]["issuer"] == issuer
    assert asked["spec"]["jwtRules"][0]["audiences"] == ["tea-client"]


def test_every_listener_has_tls_and_takes_routes_of_one_namespace(rendered: Callable[..., Objects]) -> None:
    objects = rendered("gateway", matcha_gateway_audience="tea-client", matcha_gateway_cluster_issuer="letters")
    (gateway,) = of("Gateway", objects)
    assert gateway["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "letters"}
    routes = {route["spec"]["parentRefs"][0]["sectionName"]: route for route in of("HTTPRoute", objects)}
    assert {listener["name"] for listener in gateway["spec"]["listeners"]} == set(routes)
    for listener in gateway["spec"]["listeners"]:
        assert (listener["port"], listener["protocol"], listener["tls"]["mode"]) == (443, "HTTPS", "Terminate")
        route = routes[listener["name"]]
        allowed = listener["allowedRoutes"]["namespaces"]["selector"]["matchLabels"]
        assert allowed == {"kubernetes.io/metadata.name": route["metadata"]["namespace"]}
        assert route["spec"]["hostnames"] == [listener["hostname"]]


def test_openshift_has_routes_for_what_asks_for_a_password(rendered: Callable[..., Objects]) -> None:
    objects = rendered("routes", openshift=True, matcha_gateway_audience="tea-client")
    found = {route["spec"]["host"]: route["spec"]["tls"] for route in of("Route", objects)}
    assert set(found) == {"zenml.tea.example", "mlflow.tea.example"}
    for tls in found.values():
        assert tls == {"termination": "edge", "insecureEdgeTerminationPolicy": "None"}


@pytest.mark.parametrize("template", ["gateway", "routes"])
def test_each_namespace_lets_the_gateway_in_and_nobody_else(rendered: Callable[..., Objects], template: str) -> None:
    objects = rendered(template, openshift=template == "routes")
    policies = of("NetworkPolicy", objects)
    assert {policy["metadata"]["namespace"] for policy in policies} - {"matcha-gateway"} == {"zenml", "mlflow"}
    for policy in policies:
        kubernetes_validate.validate(policy, "1.36", strict=True)
        if policy["metadata"]["namespace"] != "matcha-gateway":
            assert all(rule["from"] for rule in policy["spec"]["ingress"])
