# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipes of the images: complete, locked, and for the client the same as the Dockerfile that users have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes.images import reference
from tests.kubernetes.images.build import config, find, locks, make, pinned
from tests.kubernetes.images.environment import blocks, merged
from tests.kubernetes.images.recipes import CLIENT, RECIPES, ROOT, client_files, client_name, versions

DOCKERFILE = ROOT / "roles/client/files/image/Dockerfile"


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE))
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


class TestRecipes:
    def test_images_have_the_names_that_manifests_use(self) -> None:
        found = versions()
        assert set(pinned()) == {
            f"zenmldocker/zenml-server:{found['zenml']}",
            f"ghcr.io/mlflow/mlflow:v{found['mlflow']}-full",
            f"ghcr.io/chroma-core/chroma:{found['chroma']}",
            f"seldonio/mlserver:{found['seldon']}",
            "mysql:8.4",
            "nginxinc/nginx-unprivileged:1.29-alpine",
            f"crmatcha.azurecr.io/matcha/client:{found['client']}",
        }
        assert reference("mysql:8.4") == "docker.io/library/mysql:8.4"
        assert reference("ghcr.io/a/b:1") == "ghcr.io/a/b:1"

    def test_every_deployment_has_the_clients_image_in_its_own_registry(self) -> None:
        assert find(client_name("tea"))[0] is CLIENT

    def test_an_unknown_image_is_refused(self) -> None:
        with pytest.raises(RuntimeError, match=r"no recipe for the image example.test/tea:1\. There are: .*mysql:8\.4"):
            make("example.test/tea:1")

    def test_an_older_version_needs_a_lock_file_of_its_own(self) -> None:
        recipe, version = find("ghcr.io/mlflow/mlflow:v3.14.0-full")
        assert locks(recipe, version)[0] == ROOT / "tests/locks/mlflow-3.14.0.txt"
        with pytest.raises(RuntimeError, match=r"mlflow-1\.0\.0\.txt is missing: .*--version mlflow=1\.0\.0"):
            locks(*find("ghcr.io/mlflow/mlflow:v1.0.0-full"))

    @pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
    def test_a_recipe_has_all_that_it_names(self, recipe: Any) -> None:
        version = versions().get(recipe.component, "")
        assert recipe.name.format(version=version) in pinned()
        for path in (*locks(recipe, version), *(ROOT / name for name in recipe.copied)):
            assert path.is_file(), path
        found = config(recipe)
        assert found.get("Entrypoint") or found.get("Cmd")
        assert any(value.startswith("PATH=") for value in found["Env"])

    def test_what_images_have_beyond_a_role_does_not_contradict_it(self) -> None:
        for recipe in RECIPES:
            if recipe.component and recipe.lock:
                own, more = (blocks(path.read_text("utf-8")) for path in locks(recipe, versions()[recipe.component]))
                assert more
                assert not set(own) & set(more), "run python -m tests.kubernetes.images --lock"

    def test_of_two_lock_files_the_first_wins(self, tmp_path: Path) -> None:
        first, second = tmp_path / "first", tmp_path / "second"
        first.write_text("# made\ntea==1 \\\n    --hash=sha256:aa\nwater==1 \\\n    --hash=sha256:bb\n")
        second.write_text("tea==2 \\\n    --hash=sha256:cc\ncup==3 \\\n    --hash=sha256:dd \\\n    --hash=sha256:ee\n")
        assert re.findall(r"^(\S+) ", merged([first, second]), re.MULTILINE) == ["tea==1", "water==1", "cup==3"]
        assert "ee" in merged([first, second])
        assert "cc" not in merged([first, second])


class TestClient:
    """The image of pipelines is made from a Dockerfile by users, and by us from the same things."""

    def test_its_settings_are_the_same(self, dockerfile: list[tuple[str, str]]) -> None:
        given = {word: rest for word, rest in dockerfile if word in {"USER", "WORKDIR", "CMD"}}
        assert given == {"USER": CLIENT.user, "WORKDIR": CLIENT.workdir, "CMD": '["python3"]'}
        env = dict(pair.split("=", 1) for word, rest in dockerfile if word == "ENV" for pair in rest.split())
        assert env.pop("PATH").startswith("/opt/venv/bin:")
        # The Python that it is made from sets the others.
        assert env == {name: value for name, value in CLIENT.env.items() if name not in {"PATH", "LANG"}}
        assert "install --yes --no-install-recommends git" in DOCKERFILE.read_text("utf-8")
        assert CLIENT.packages == ("git",)

    def test_the_same_files_are_copied(self, dockerfile: list[tuple[str, str]]) -> None:
        copied = {}
        for word, rest in dockerfile:
            if word == "COPY":
                pattern, target = rest.split()
                found = list((ROOT / "roles").glob(pattern))
                assert found, pattern
                copied.update({f"{target}{path.name}": path for path in found})
        assert copied.pop("/tmp/requirements.txtrequirements.txt") == ROOT / CLIENT.lock  # noqa: S108
        assert {name.removeprefix("/app/") for name in copied} == set(client_files())

    def test_its_packages_are_the_clients_and_more(self) -> None:
        def versions_in(path: Path) -> set[str]:
            return {re.split(r"[ ;\\]", block)[0] for block in blocks(path.read_text("utf-8")).values()}

        client = versions_in(ROOT / "roles/client/files/requirements.txt")
        own = versions_in(ROOT / CLIENT.lock)
        assert not client - own, "run tools/lock client-image"
        names = {requirement.partition("==")[0] for requirement in own}
        assert {"adlfs", "chromadb-client", "dvc-azure", "kubernetes", "mlflow", "scikit-learn", "zenml"} <= names

    def test_it_says_how_it_is_built(self) -> None:
        text = DOCKERFILE.read_text("utf-8")
        assert f"--image matcha/client:{versions()['client']} --file roles/client/files/image/Dockerfile roles" in text
        assert re.search(r"^FROM python:3\.11\.\d+-slim-bookworm$", text, re.MULTILINE)
