# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles' manifests, rendered by Ansible with facts of a deployment that is nowhere."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
ROLES = ROOT / "roles"
Manifest = dict[str, Any]

# Each role's templates. The shared ones are rendered for each component that uses them.
SHARED = ("namespace", "clients", "azure", "database", "dump", "verify")
TEMPLATES = {
    "zenml": (*SHARED, "zenml"),
    "mlflow": (*SHARED, "mlflow", "upgrade"),
    "chroma": ("namespace", "clients", "verify", "chroma"),
    "dvc": ("verify",),
    "workloads": ("namespace", "workloads"),
}
# What is put together by a role's own variables.
OBJECTS = {"seldon": ("seldon_system_objects", "seldon_models_objects")}
ROLE_NAMES = (*TEMPLATES, *OBJECTS)
# Variables that tasks hand to modules.
VALUES = {"mlflow": ("kubernetes_database_files", "mlflow_kubernetes_secrets")}

IDENTITIES = {
    name: {"name": f"matcha-{name}", "client_id": f"00000000-0000-0000-0000-00000000000{number}"}
    for number, name in enumerate(("mlflow", "zenml", "workloads"))
}
FACTS: dict[str, Any] = {
    "matcha_deployment": {
        "components": ["zenml", "mlflow", "seldon", "dvc", "chroma"],
        "matcha_uuid": "6f9619ff-8b86-4d01-b42d-00c04fc964ff",
        "path": "/nowhere",
        "prefix": "matcha",
        "recorded": {},
        "resource_group": "matcha-resources",
        "run": "run",
        "tags": {"matcha-prefix": "matcha", "matcha-stack": "llm"},
        "target": "azure",
        "versions": {},
    },
    "matcha_platform": {
        "cluster": {
            "context": "matcha-k8s",
            "kubeconfig": "/nowhere/kubeconfig",
            "name": "matcha-k8s",
            "openshift": False,
        },
        "identities": IDENTITIES,
        "mysql": {
            "admin_username": "matcha",
            "databases": {"zenml": "zenml", "mlflow": "mlflow", "mlflow_accounts": "mlflow_accounts"},
            "host": "matchazenmlserver.mysql.database.azure.com",
            "port": 3306,
        },
        "registry": {"login_server": "crmatcha.azurecr.io", "name": "crmatcha"},
        "storage": {
            name: {
                "account": account,
                "blob_endpoint": f"https://{account}.blob.core.windows.net",
                "container": container,
            }
            for name, account, container in (
                ("mlflow", "stmatchaacc", "matchastore"),
                ("zenml", "matchazenmlacc", "matchaartifactstore"),
                ("dvc", "matchadvcacc", "matchadvcstore"),
            )
        },
        "tenant_id": "00000000-0000-0000-0000-000000000009",
        "vault": {"uri": "https://kv-matcha.vault.azure.net"},
    },
    "kubernetes_pending": [],
    "kubernetes_verify_environment": {"URL": "http://nowhere"},
    "kubernetes_verify_secrets": {"PASSWORD": "mlflow-password"},
    "chroma_claims": {"objects": []},
    "matcha_exposure": "internal",
}


def _home(role: str) -> Path:
    return ROLES / ("kubernetes" if role == "workloads" else role)


def _play(role: str, destination: Path) -> Manifest:
    """Return a play that renders each template of a role into a file of its own."""
    home = _home(role)
    files = [
        ROLES / "stack/defaults/main.yml",
        ROLES / "kubernetes/defaults/main.yml",
        ROLES / "kubernetes/vars/main.yml",
    ]
    own = [home / "defaults/main.yml", home / "vars/main.yml", home / "vars/azure.yml"]
    files += [path for path in own if role != "workloads" and path.exists()]
    variables: dict[str, Any] = {"role_path": str(home), "matcha_component": role}
    if role == "workloads":
        variables |= {"kubernetes_namespace": "{{ kubernetes_workloads }}", "kubernetes_identity": ""}
    texts = [f"'{name}': {name} | to_json" for name in (*OBJECTS.get(role, ()), *VALUES.get(role, ()))]
    for name in TEMPLATES.get(role, ()):
        places = (base / f"templates/{name}.yaml.j2" for base in (home, ROLES / "kubernetes"))
        path = next(place for place in places if place.exists())
        texts.append(f"'{name}': lookup('ansible.builtin.template', '{path}')")
    content = f"{{{{ {{{', '.join(texts)}}} | to_json }}}}"
    copied = {"content": content, "dest": str(destination / f"{role}.json"), "mode": "0600"}
    return {
        "name": role,
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars_files": [str(path) for path in files],
        "vars": variables,
        "tasks": [{"name": "Render", "ansible.builtin.copy": copied}],
    }


def _playbook(role: str, place: Path) -> Path:
    """Write the play into a folder in which Ansible finds what is the role's."""
    folder = place / role
    folder.mkdir()
    for name in ("files", "templates"):
        (folder / name).symlink_to(_home(role) / name)
    (folder / "render.yml").write_text(yaml.safe_dump([_play(role, place)]), encoding="utf-8")
    return folder / "render.yml"


@functools.cache
def _rendered(changes: str) -> dict[str, dict[str, str]]:
    facts = {**FACTS, **json.loads(changes)}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
        books = [str(_playbook(role, place)) for role in ROLE_NAMES]
        result = subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", *books, "-e", f"@{place}/facts.json"],
            cwd=place,
            env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
        return {role: json.loads((place / f"{role}.json").read_text(encoding="utf-8")) for role in ROLE_NAMES}


def rendered(**changes: Any) -> dict[str, list[Manifest]]:
    """Return each role's objects. ``changes`` replace facts."""
    texts = _rendered(json.dumps(changes, sort_keys=True))
    return {
        role: [part for name, text in parts.items() if name not in VALUES.get(role, ()) for part in _objects(text)]
        for role, parts in texts.items()
    }


def value(role: str, name: str, **changes: Any) -> Any:
    """Return one of a role's variables."""
    return json.loads(_rendered(json.dumps(changes, sort_keys=True))[role][name])


def _objects(text: str) -> list[Manifest]:
    found = [part for part in yaml.safe_load_all(text) if part]
    return found[0] if found and isinstance(found[0], list) else found


def on_openshift() -> dict[str, list[Manifest]]:
    """Return the objects for a cluster whose user ids are its own."""
    platform = FACTS["matcha_platform"]
    return rendered(matcha_platform={**platform, "cluster": {**platform["cluster"], "openshift": True}})


def pod_template(manifest: Manifest) -> Manifest | None:
    """Return the template of an object's pods, if it has any."""
    spec = manifest.get("spec") or {}
    return spec.get("template") if manifest["kind"] in {"Deployment", "StatefulSet", "DaemonSet", "Job"} else None


def label(manifest: Manifest) -> str:
    """Return kind, namespace and name."""
    return f"{manifest['kind']} {manifest['metadata'].get('namespace', '')}/{manifest['metadata']['name']}"
