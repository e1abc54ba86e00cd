# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make images from their recipes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.kubernetes.caches import key

from .environment import base, environment, merged, more
from .layers import Layer, Owner, layer
from .oci import image
from .recipes import HERE, RECIPES, ROOT, Recipe, versions
from .trust import plain_files

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def images(names: Iterable[str] | None = None) -> dict[str, Path]:
    """Return the tar of each image, by its name; what is missing is made first.

    Without names: all, in the versions that are pinned. An older one can be named where tests/locks has its lock file.
    """
    return {name: make(name) for name in (pinned() if names is None else names)}


def pinned() -> list[str]:
    """Return the names of all images in the versions that are pinned."""
    return [recipe.name.format(version=versions().get(recipe.component, "")) for recipe in RECIPES]


def make(name: str) -> Path:
    """Return the tar of one image."""
    recipe, version = find(name)
    layers = [base()]
    if recipe.packages:
        layers.append(more(recipe.packages))
    if lock := merged(locks(recipe, version)):
        layers.append(environment(lock))
    return image(name, [*layers, _own(recipe)], config(recipe))


def find(name: str) -> tuple[Recipe, str]:
    """Return the recipe of a name, and its version."""
    for recipe in RECIPES:
        before, found, after = recipe.name.partition("{version}")
        # Every deployment has a registry of its own.
        before = re.sub(r"^crmatcha\\\.", r"cr[a-z0-9]+\\.", re.escape(before))
        match = re.fullmatch(f"{before}{'([0-9.]+)' if found else '()'}{re.escape(after)}", name)
        if match:
            return recipe, match[1]
    raise RuntimeError(f"There is no recipe for the image {name}. There are: {', '.join(pinned())}.")


def locks(recipe: Recipe, version: str) -> list[Path]:
    """Return the lock files of a recipe's environment, the first before the others."""
    found = []
    if recipe.component:
        current = version == versions()[recipe.component]
        own = f"roles/{recipe.component}/files/requirements.txt"
        found.append(ROOT / (own if current else f"tests/locks/{recipe.component}-{version}.txt"))
    if recipe.lock:
        found.append(ROOT / recipe.lock)
    for path in found:
        if not path.is_file():
            how = f"tools/lock --version {recipe.component}={version}"
            raise RuntimeError(f"{path.relative_to(ROOT)} is missing: make it with '{how}'.")
    return found


def config(recipe: Recipe) -> dict[str, Any]:
    """Return an image's configuration, in upstream's words."""
    described: dict[str, Any] = {
        "Env": [f"{name}={value}" for name, value in recipe.env.items()],
        "WorkingDir": recipe.workdir,
    }
    optional = {
        "User": recipe.user,
        "Entrypoint": list(recipe.entrypoint),
        "Cmd": list(recipe.cmd),
        "ExposedPorts": {f"{recipe.port}/tcp": {}} if recipe.port else None,
        "StopSignal": recipe.stop_signal,
    }
    return {**described, **{name: value for name, value in optional.items() if value}}


def _files(recipe: Recipe) -> dict[str, tuple[bytes, int]]:
    """Return what a recipe adds to its layers: path, content, mode."""
    found = {path: (content, 0o644) for path, content in plain_files(*recipe.account).items()}
    folder = HERE / "files" / recipe.files
    for path in sorted(folder.rglob("*")) if recipe.files else []:
        if path.is_file():
            executable = path.suffix in {".sh", ".envsh"}
            found[str(path.relative_to(folder))] = (path.read_bytes(), 0o755 if executable else 0o644)
    for name in recipe.copied:
        found[f"app/{name}"] = ((ROOT / name).read_bytes(), 0o644)
    for name, text in recipe.contents.items():
        found[name] = (text.encode(), 0o644)
    return found


def _own(recipe: Recipe) -> Layer:
    """Return the layer on top: users, authorities, scripts, folders."""
    files = _files(recipe)

    def fill(tree: Path) -> None:
        for name in recipe.folders:
            (tree / name).mkdir(parents=True, exist_ok=True)
        for name, (content, mode) in files.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode)
        for name, target in recipe.links.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).symlink_to(target)

    parts = [repr(sorted(files.items())), repr(recipe.links), repr(recipe.folders)]
    return layer("files", key("1", *parts), fill, _owners(recipe, files))


def _owners(recipe: Recipe, files: Iterable[str]) -> dict[str, Owner]:
    """Return whom things belong to: what lies in a folder with an owner belongs to that one too."""
    owners = dict(recipe.folders)
    for name in files:
        above = [folder for folder in recipe.folders if name.startswith(f"{folder}/")]
        if above:
            owner = recipe.folders[max(above, key=len)]
            owners[name] = Owner(owner.user, owner.group, 0o664 if owner.mode == 0o775 else None)
    return owners
