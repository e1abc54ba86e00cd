# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images in the form of the Open Container Initiative: a tar that `ctr images import` and `podman load` take."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import time
from typing import TYPE_CHECKING, Any

from tests.kubernetes.caches import cached, key

from .layers import MODIFIED, Layer, Owner, keep, layer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PREFIX = "application/vnd.oci.image."
_CREATED = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(MODIFIED))
# The client's image is another one whenever a verification changes.
_HOUR = 3600


def architecture() -> str:
    """Return what images call this machine's processor."""
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def reference(name: str) -> str:
    """Return a name as container engines keep it: with its registry."""
    first, slash, _rest = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    return name if "." in first or ":" in first or first == "localhost" else f"docker.io/{name}"


def _plain(name: str) -> str:
    return reference(name).replace("/", "_").replace(":", "_")


def image(name: str, layers: Sequence[Layer], config: Mapping[str, Any]) -> Path:
    """Return the tar of an image of these layers; `config` has upstream's own keys (Entrypoint, Cmd, User, Env …)."""
    kind = f"image-{_plain(name)}"
    inputs = key("1", name, json.dumps(config, sort_keys=True), *(one.digest for one in layers))
    found = cached(kind, inputs, lambda folder: _write(folder / "image.tar", name, layers, config)) / "image.tar"
    keep(found.parent, kind, _HOUR)
    return found


def from_scratch(
    name: str,
    files: Mapping[str, Path | bytes],
    entrypoint: Sequence[str],
    user: str = "65532:65532",
    env: Mapping[str, str] | None = None,
) -> Path:
    """Return the tar of an image that holds these files (`/path`: content) alone; every one may be run by all.

    Like Google's distroless images it has passwd and group files, a /tmp, and trusts the public authorities and ours.
    """
    from .trust import plain_files

    contents = {**plain_files(), **{path.strip("/"): _read(content) for path, content in files.items()}}

    def fill(tree: Path) -> None:
        (tree / "tmp").mkdir()
        for path, content in contents.items():
            target = tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o755 if f"/{path}" in files or path in files else 0o644)

    inputs = key("1", *(part for path in sorted(contents) for part in (path, contents[path])))
    made = layer(f"scratch-{_plain(name)}", inputs, fill, {"tmp": Owner(mode=0o1777)})
    variables = {"PATH": "/usr/local/bin:/usr/bin:/bin", "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}
    variables.update(env or {})
    config = {
        "Entrypoint": list(entrypoint),
        "User": user,
        "WorkingDir": "/",
        "Env": [f"{variable}={value}" for variable, value in variables.items()],
    }
    return image(name, [made], config)


def alias(tar: Path, name: str) -> Path:
    """Return a small tar that gives an image another name, where the image itself was imported before."""
    with tarfile.open(tar) as archive:
        index = json.loads(_member(archive, "index.json"))
        manifest = _member(archive, _blob(index["manifests"][0]["digest"]))
        config = _member(archive, _blob(json.loads(manifest)["config"]["digest"]))
    inputs = key("1", name, manifest)

    def make(folder: Path) -> None:
        with tarfile.open(folder / "image.tar", "w") as archive:
            _finish(archive, name, manifest, config)

    return cached(f"image-alias-{_plain(name)}", inputs, make) / "image.tar"


def described(tar: Path) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return an image's name, manifest and configuration."""
    with tarfile.open(tar) as archive:
        entry = json.loads(_member(archive, "index.json"))["manifests"][0]
        manifest = json.loads(_member(archive, _blob(entry["digest"])))
        config = json.loads(_member(archive, _blob(manifest["config"]["digest"])))
    return entry["annotations"]["io.containerd.image.name"], manifest, config


def _read(content: Path | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise RuntimeError(f"{archive.name} has no {name}: delete it, and it is made anew.")
    return file.read()


def _blob(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _descriptor(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": _PREFIX + kind, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), MODIFIED, 0o644
    archive.addfile(info, io.BytesIO(data))


def _write(target: Path, name: str, layers: Sequence[Layer], config: Mapping[str, Any]) -> None:
    described = {
        "created": _CREATED,
        "architecture": architecture(),
        "os": "linux",
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [one.diff_id for one in layers]},
    }
    configuration = json.dumps(described, sort_keys=True).encode()
    blobs = [{"mediaType": f"{_PREFIX}layer.v1.tar+zstd", "digest": one.digest, "size": one.size} for one in layers]
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_PREFIX}manifest.v1+json",
        "config": _descriptor("config.v1+json", configuration),
        "layers": blobs,
    }
    with tarfile.open(target, "w") as archive:
        for one in layers:
            info = tarfile.TarInfo(_blob(one.digest))
            info.size, info.mtime, info.mode = one.size, MODIFIED, 0o644
            with one.path.open("rb") as file:
                archive.addfile(info, file)
        _finish(archive, name, json.dumps(manifest, sort_keys=True).encode(), configuration)


def _finish(archive: tarfile.TarFile, name: str, manifest: bytes, configuration: bytes) -> None:
    entry = _descriptor("manifest.v1+json", manifest)
    entry["platform"] = {"architecture": architecture(), "os": "linux"}
    full = reference(name)
    entry["annotations"] = {
        "io.containerd.image.name": full,
        "org.opencontainers.image.ref.name": full,
    }
    index = {"schemaVersion": 2, "mediaType": f"{_PREFIX}index.v1+json", "manifests": [entry]}
    _add(archive, _blob(entry["digest"]), manifest)
    _add(archive, _blob(json.loads(manifest)["config"]["digest"]), configuration)
    _add(archive, "index.json", json.dumps(index, sort_keys=True).encode())
    _add(archive, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
