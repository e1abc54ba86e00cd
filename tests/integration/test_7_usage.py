# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which people use it: a fresh clone, the installed collection, their own playbooks, other Ansibles."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from deployments import BIN, COMPONENTS, ROOT, Deployment, made, new_home

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def place() -> Iterator[Path]:
    """Yield an empty folder with a short path."""
    path = Path(tempfile.mkdtemp(prefix="matcha-"))
    yield path
    shutil.rmtree(path)


def test_a_fresh_clone_with_a_fresh_home(place: Path, full: bool) -> None:
    clone, home = place / "a clone", place / "home"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    home.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "UV_", "VIRTUAL_"))
    }
    environment |= {"HOME": str(home), "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"}
    if not full:
        # What was fetched before need not be fetched again.
        cache = subprocess.run([BIN / "uv", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
        environment["UV_CACHE_DIR"] = cache

    def make(*arguments: str) -> str:
        result = subprocess.run(
            ["make", *arguments], cwd=clone, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    deployment = Deployment(home / ".local" / "share" / "matcha", prefix="matcha", programs=clone / ".venv" / "bin")
    try:
        make("provision", "STACK=llm")
        deployment.assert_healthy(*COMPONENTS)
        assert not re.search(r"changed=[1-9]", make("provision", "STACK=llm"))
        # The plain commands, with the top's own ansible.cfg and inventory.
        for playbook in ("provision.yml", "playbooks/provision.yml"):
            result = subprocess.run(
                [clone / ".venv" / "bin" / "ansible-playbook", playbook, "-e", "matcha_stack=llm"],
                cwd=clone, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert result.returncode == 0, result.stdout
            assert not re.search(r"changed=[1-9]", result.stdout)
        make("verify")
    finally:
        make("destroy", "ARGS=-e matcha_confirm=true")
    assert not deployment.processes()
    assert not list(deployment.home.iterdir())


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder into which the built collection was installed."""
    folder = tmp_path_factory.mktemp("installed")
    galaxy = BIN / "ansible-galaxy"
    subprocess.run([galaxy, "collection", "build", "--output-path", folder, ROOT], check=True, capture_output=True)
    (artifact,) = folder.glob("*.tar.gz")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder)}
    command = [galaxy, "collection", "install", "--offline", "-p", folder, artifact]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return folder


# No inventory, no configuration: what an ops team or AWX has.
def elsewhere(place: Path, installed: Path, **options: object) -> Deployment:
    return Deployment(
        new_home(),
        directory=place,
        environment={"ANSIBLE_COLLECTIONS_PATH": str(installed)},
        variables={"matcha_target": "local"},
        **options,
    )


OWN_PLAYBOOK = """\
- name: Before
  hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.debug: {msg: before}
- ansible.builtin.import_playbook: matcha.mlops.provision
- name: After
  hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "the remote is {{ lookup('matcha.mlops.output', 'data-version-control', 'remote-url') }}"
"""

OWN_ROLE = """\
- hosts: localhost
  gather_facts: false
  roles: [matcha.mlops.dvc]
"""


def test_the_installed_collection(place: Path, installed: Path) -> None:
    deployment = elsewhere(place, installed, stack="tiny")
    try:
        own, role = place / "own.yml", place / "role.yml"
        own.write_text(OWN_PLAYBOOK, encoding="utf-8")
        role.write_text(OWN_ROLE, encoding="utf-8")
        # Tags of theirs leave ours alone.
        deployment.run(str(own), "--tags", "theirs").ok()
        assert not list(deployment.home.iterdir())
        assert deployment.run("matcha.mlops.provision").ok().changed
        assert not deployment.run("matcha.mlops.provision").ok().changed
        assert f"the remote is {deployment.path}/data/dvc" in deployment.run(str(own)).ok().output
        assert not deployment.run(str(role)).ok().changed
    finally:
        deployment.run("matcha.mlops.destroy", matcha_confirm=True).ok()
        deployment.home.rmdir()


def test_a_role_alone_provisions_its_component(place: Path, installed: Path) -> None:
    deployment = elsewhere(place, installed, stack="small")
    role = place / "role.yml"
    role.write_text(OWN_ROLE, encoding="utf-8")
    try:
        deployment.run(str(role)).ok()
        assert set(deployment.state["components"]) == {"dvc"}
        # The rest of the stack can follow.
        assert deployment.run("matcha.mlops.provision").ok().changed == {"matcha-chroma"}
    finally:
        deployment.run("matcha.mlops.destroy", matcha_confirm=True).ok()
        deployment.home.rmdir()


@pytest.mark.one_of("other versions of Ansible")
@pytest.mark.parametrize("core", ["ansible-2.17", "ansible-2.21"])
def test_other_versions_of_ansible(core: str, full: bool) -> None:
    setup = subprocess.run([ROOT / "tools" / "bootstrap", core], capture_output=True, text=True, check=False)
    if setup.returncode and "No Python" in setup.stderr:
        pytest.skip(setup.stderr.strip().splitlines()[-1])
    programs = ROOT / "build" / f"venv-{core}" / "bin"
    for deployment in made(new_home(), stack="llm" if full else "tiny", programs=programs):
        assert deployment.run("provision").ok().changed
        assert not deployment.run("provision").ok().changed
        deployment.run("provision", matcha_stack="default").failed("asked for was 'default'")
        deployment.run("verify").ok()
        outputs = deployment.run("outputs").ok()
        assert "DEPRECATION" not in outputs.output
