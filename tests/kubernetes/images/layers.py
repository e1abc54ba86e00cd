# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers: folders as compressed archives, the same bytes for the same content, whoever makes them and when."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import tarfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kubernetes.caches import cached, key
from tests.kubernetes.packages import packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import IO

# Of every file in every image, so that it doesn't depend on when it was made.
MODIFIED = 1767225600
_WEEK = 7 * 24 * 3600
# Folders that Debian has merged into /usr; the packages still name them.
MERGED = ("bin", "lib", "lib64", "sbin")


@dataclass(frozen=True)
class Owner:
    """Whom something in an image belongs to, and who may do what with it."""

    user: int = 0
    group: int = 0
    mode: int | None = None


@dataclass(frozen=True)
class Layer:
    """A finished layer: what a manifest says of it, and where it is."""

    digest: str
    size: int
    diff_id: str
    path: Path


class _Hashed:
    """A stream that is hashed on its way through."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.hash = stream, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        return self.stream.write(data)


def layer(name: str, inputs: str, fill: Callable[[Path], None], owners: Mapping[str, Owner] | None = None) -> Layer:
    """Return the layer of this name and these inputs; `fill` puts its files into the folder that it is given."""
    kind = f"image-layer-{name}"
    if owners:
        inputs = key(inputs, repr(sorted(owners.items())))
    place = cached(kind, inputs, lambda folder: _make(folder, fill, owners or {}))
    keep(place, kind, _WEEK)
    return Layer(path=place / "layer.tar.zst", **json.loads((place / "layer.json").read_text("utf-8")))


def keep(place: Path, kind: str, seconds: int) -> None:
    """Note that this is in use; remove others of its kind that nobody has used for so long."""
    os.utime(place)
    digits = len(place.name) - len(kind) - 1
    for other in place.parent.glob(f"{kind}-{'[0-9a-f]' * digits}"):
        if other.stat().st_mtime < time.time() - seconds:
            shutil.rmtree(other, ignore_errors=True)


def _make(folder: Path, fill: Callable[[Path], None], owners: Mapping[str, Owner]) -> None:
    tree = folder / "tree"
    tree.mkdir()
    fill(tree)
    packed = folder / "layer.tar.zst"
    diff_id = pack(tree, packed, owners)
    shutil.rmtree(tree)
    with packed.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    described = asdict(Layer(f"sha256:{digest}", packed.stat().st_size, diff_id, packed))
    del described["path"]
    (folder / "layer.json").write_text(json.dumps(described), "utf-8")


def pack(tree: Path, target: Path, owners: Mapping[str, Owner]) -> str:
    """Write a folder as a compressed archive, and return the digest of what is in it before it is compressed."""
    tool = shutil.which("zstd") or str(packages(["zstd"]) / "usr/bin/zstd")
    with target.open("wb") as file:
        # Two threads, whatever the machine: the result depends on whether there are several.
        command = [tool, "-3", "-T2", "--quiet", "--stdout"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file) as process:
            if process.stdin is None:
                raise RuntimeError("zstd was started without a pipe.")
            stream = _Hashed(process.stdin)
            with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
                _write(archive, tree, owners)
            process.stdin.close()
    if process.returncode:
        raise RuntimeError(f"zstd could not write {target}: see its message above.")
    return f"sha256:{stream.hash.hexdigest()}"


def _write(archive: tarfile.TarFile, tree: Path, owners: Mapping[str, Owner]) -> None:
    for path in _walk(tree):
        name = str(path.relative_to(tree))
        info = tarfile.TarInfo(name)
        found = path.lstat()
        owner = owners.get(name, Owner())
        info.uid, info.gid, info.mtime = owner.user, owner.group, MODIFIED
        info.mode = stat.S_IMODE(found.st_mode) if owner.mode is None else owner.mode
        if path.is_symlink():
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
            archive.addfile(info)
        elif path.is_dir():
            info.type = tarfile.DIRTYPE
            archive.addfile(info)
        else:
            info.size = found.st_size
            with path.open("rb") as file:
                archive.addfile(info, file)


def _walk(tree: Path) -> Iterator[Path]:
    """Yield all below a folder, each folder before what is in it."""
    for path in sorted(tree.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


def unpacked(names: tuple[str, ...], tree: Path, leave_out: Callable[[str], bool]) -> None:
    """Put Debian packages and all that they need into a folder, merged as Debian merges them."""
    source = packages(names, depends=True)
    for path in _walk(source):
        name = str(path.relative_to(source))
        if name.split("/", maxsplit=1)[0] in MERGED:
            name = f"usr/{name}"
        if leave_out(name):
            continue
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            if not target.is_symlink():
                target.symlink_to(path.readlink())
        elif path.is_dir():
            target.mkdir(exist_ok=True)
            target.chmod(stat.S_IMODE(path.stat().st_mode))
        else:
            target.hardlink_to(path)
