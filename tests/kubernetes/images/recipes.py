# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in each image, and how it starts: as upstream has it, see README.md for what differs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache as once
from pathlib import Path

import yaml

from .environment import VENV
from .layers import Owner

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LANG = {"LANG": "C.UTF-8"}
_PYTHON = {"PATH": f"/{VENV}/bin:{_PATH}", **_LANG}
# A folder that its user writes to, and that OpenShift's users, who are all in group 0, write to as well.
_SHARED = 0o775


@dataclass(frozen=True)
class Recipe:
    """One image. `{version}` in its name is its component's."""

    name: str
    component: str = ""
    # A lock file of ours: what upstream's image has beyond the component's own, or instead of it.
    lock: str = ""
    packages: tuple[str, ...] = ()
    # A folder in files/ whose content is copied, and single files of the repository.
    files: str = ""
    copied: tuple[str, ...] = ()
    contents: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: dict[str, Owner] = field(default_factory=dict)
    # Whom the image knows, and who runs it (empty: root, as upstream has it).
    account: tuple[str, int] = ("nonroot", 65532)
    user: str = ""
    env: dict[str, str] = field(default_factory=lambda: dict(_PYTHON))
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    port: int = 0
    workdir: str = "/"
    stop_signal: str = ""


@once
def versions() -> dict[str, str]:
    """Return the version of each component, and the collection's own."""
    text = (ROOT / "roles/stack/defaults/main.yml").read_text("utf-8")
    pinned = {
        name.removeprefix("matcha_").removesuffix("_version"): str(value)
        for name, value in yaml.safe_load(text).items()
        if name.endswith("_version")
    }
    pinned["client"] = str(yaml.safe_load((ROOT / "galaxy.yml").read_text("utf-8"))["version"])
    return pinned


def client_files() -> tuple[str, ...]:
    """Return what pipelines and verifications import, below the folder `roles`."""
    found = {*ROOT.glob("roles/*/files/verify*.py"), *ROOT.glob("roles/client/files/verification.py")}
    return tuple(sorted(str(path.relative_to(ROOT)) for path in found))


def client_name(prefix: str = "matcha") -> str:
    """Return the name of the client's image in the registry of a deployment."""
    return f"cr{prefix}.azurecr.io/matcha/client:{versions()['client']}"


ZENML = Recipe(
    "zenmldocker/zenml-server:{version}",
    component="zenml",
    lock="tests/kubernetes/images/requirements/zenml.txt",
    files="zenml",
    folders={
        "home/zenml": Owner(1000, 1000),
        "zenml": Owner(1000, 1000),
        "zenml/.zenconfig": Owner(1000, 1000),
        "zenml/.zenconfig/local_stores": Owner(1000, 1000),
        "zenml/.zenconfig/local_stores/default_zen_store": Owner(1000, 1000),
    },
    account=("zenml", 1000),
    user="zenml",
    env={
        **_PYTHON,
        "PATH": ":".join((f"/{VENV}/bin", "/home" + "/zenml/.local/bin", _PATH)),
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONHASHSEED": "random",
        "VIRTUAL_ENV": f"/{VENV}",
        "ZENML_CONTAINER": "1",
        "ZENML_CONFIG_PATH": "/zenml/.zenconfig",
        "ZENML_DEBUG": "false",
        "ZENML_ANALYTICS_OPT_IN": "true",
    },
    entrypoint=("/entrypoint.sh",),
    cmd=(
        *("uvicorn", "zenml.zen_server.zen_server_api:app", "--no-server-header", "--proxy-headers"),
        *("--forwarded-allow-ips", "*", "--port", "8080", "--host", "0.0.0.0"),  # noqa: S104 (a container's own)
    ),
    port=8080,
    workdir="/zenml",
)
MLFLOW = Recipe(
    "ghcr.io/mlflow/mlflow:v{version}-full",
    component="mlflow",
    lock="tests/kubernetes/images/requirements/mlflow.txt",
    cmd=("python3",),
)
CHROMA = Recipe(
    "ghcr.io/chroma-core/chroma:{version}",
    component="chroma",
    packages=("dumb-init",),
    contents={"config.yaml": 'persist_path: "/data"\n'},
    entrypoint=("dumb-init", "--", "chroma"),
    cmd=("run", "/config.yaml"),
    port=8000,
)
MLSERVER = Recipe(
    "seldonio/mlserver:{version}",
    component="seldon",
    folders={"opt/mlserver": Owner(1000, 0, 0o776 | 0o111), "mnt/models": Owner()},
    account=("mlserver", 1000),
    user="1000",
    env={
        **_PYTHON,
        "PATH": f"/opt/mlserver/.local/bin:/{VENV}/bin:{_PATH}",
        "MLSERVER_MODELS_DIR": "/mnt/models",
        "MLSERVER_ENV_TARBALL": "/mnt/models/environment.tar.gz",
        "MLSERVER_PATH": "/opt/mlserver",
        "HF_HOME": "/opt/mlserver/.cache",
        "NUMBA_CACHE_DIR": "/opt/mlserver/.cache",
    },
    cmd=("/bin/bash", "-c", "exec mlserver start $MLSERVER_MODELS_DIR"),
    workdir="/opt/mlserver",
)
MYSQL = Recipe(
    "mysql:8.4",
    packages=("mariadb-client-core", "mariadb-client"),
    files="mysql",
    account=("mysql", 999),
    env={"PATH": _PATH},
    entrypoint=("docker-entrypoint.sh",),
    cmd=("mysqld",),
    port=3306,
)
NGINX = Recipe(
    "nginxinc/nginx-unprivileged:1.29-alpine",
    # The modules of upstream's image: njs.
    packages=("nginx-light", "gettext-base", "libnginx-mod-http-js"),
    files="nginx",
    contents={"usr/share/nginx/html/index.html": "<!DOCTYPE html>\n<title>nginx</title>\n"},
    links={"var/log/nginx/access.log": "/dev/stdout", "var/log/nginx/error.log": "/dev/stderr"},
    folders={
        "etc/nginx": Owner(101, 0, _SHARED),
        "etc/nginx/conf.d": Owner(101, 0, _SHARED),
        "var/cache/nginx": Owner(101, 0, _SHARED),
        "var/log/nginx": Owner(101, 0, _SHARED),
    },
    account=("nginx", 101),
    user="101",
    env={"PATH": _PATH},
    entrypoint=("/docker-entrypoint.sh",),
    cmd=("nginx", "-g", "daemon off;"),
    port=8080,
    stop_signal="SIGQUIT",
)
# The same as roles/client/files/image/Dockerfile makes; a test compares them.
CLIENT = Recipe(
    client_name(),
    lock="roles/client/files/image/requirements.txt",
    packages=("git",),
    copied=client_files(),
    folders={"home/matcha": Owner(1000, 0, _SHARED), "app": Owner(1000, 0, _SHARED)},
    account=("matcha", 1000),
    user="1000",
    env={
        **_PYTHON,
        "HOME": "/home/matcha",
        "PYTHONPATH": "/app",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ZENML_CONTAINER": "1",
        "ZENML_ANALYTICS_OPT_IN": "false",
    },
    cmd=("python3",),
    workdir="/app",
)
RECIPES = (MLFLOW, ZENML, CHROMA, MLSERVER, MYSQL, NGINX, CLIENT)
