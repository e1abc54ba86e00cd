# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates: linters, types, licences, documentation, and what is in the artifact."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# What the tools leave there is no user's business.
HOME = ROOT / "build" / "home"

# Everything that may be at the top of the artifact.
ARTIFACT = {
    "CHANGELOG.md",
    "FILES.json",
    "LICENSE",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "changelogs",
    "docs",
    "ee-bindep.txt",
    "ee-requirements.txt",
    "inventories",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
}


def run(*command: str | Path, cwd: Path = ROOT, only: str = "", **environment: str) -> str:
    """Run a tool of this environment; fail with the end of what it printed, or only with the lines that match."""
    HOME.mkdir(parents=True, exist_ok=True)
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": path, "NO_COLOR": "1", "ANSIBLE_HOME": str(HOME / ".ansible"), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode:
        lines = result.stdout.strip().splitlines()
        lines = [line for line in lines if re.search(only, line)] or lines
        shown = "\n".join(lines[-120:])
        pytest.fail(
            f"{' '.join(str(part) for part in command)}: exit status {result.returncode}\n{shown}", pytrace=False
        )
    return result.stdout


def report(problems: list[str]) -> None:
    """Fail with one line per problem."""
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def repository_files() -> list[Path]:
    """Return what is or would be committed."""
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def load(path: Path) -> dict:
    """Read a YAML file; an empty one is an empty mapping."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def playbook_names() -> list[str]:
    return sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


# Linters


def test_ruff_check() -> None:
    run("ruff", "check", "--output-format", "concise", ".")


def test_ruff_format() -> None:
    run("ruff", "format", "--check", "--diff", ".")


def test_yamllint() -> None:
    run("yamllint", "--strict", "--format", "parsable", ".")


def test_mypy() -> None:
    run("mypy", "--no-error-summary")


def test_shell_scripts_parse() -> None:
    for path in repository_files():
        with path.open("rb") as stream:
            if stream.readline().startswith(b"#!/usr/bin/env bash"):
                run("bash", "-n", path)


def test_reuse() -> None:
    run("reuse", "lint", "--lines")


@pytest.mark.slow
def test_ansible_lint() -> None:
    run("ansible-lint", "--profile", "production", "--offline", "--strict", "--nocolor", "-q", "--format", "pep8")


def test_changelog() -> None:
    run("antsibull-changelog", "lint", HOME=str(HOME))


@pytest.mark.slow
def test_documentation() -> None:
    run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", ".", HOME=str(HOME))


# What this repository promises about itself


def test_no_host_of_a_registry_and_no_path_of_a_machine() -> None:
    # In pieces, so that this file passes its own test.
    hosts = (
        "pypi|org",
        "pythonhosted|org",
        "pypa|io",
        "npmjs|org",
        "yarnpkg|com",
        "proxy.golang|org",
        "sum.golang|org",
    )
    hosts += ("deb.debian|org", "archive.ubuntu|com", "crates|io", "maven|org", "galaxy.ansible|com")
    host = "|".join(re.escape(name.replace("|", ".")) for name in hosts)
    machine = r"(?<![\w.$}/*-])/(?:work|root|home/\w+|Users/\w+)/"
    pattern = re.compile(f"{host}|{machine}")
    problems = []
    for path in repository_files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            if match := pattern.search(line):
                problems.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    report(problems)


def test_a_checkout_is_laid_out_like_an_installed_collection() -> None:
    folder = ROOT / "collections" / "ansible_collections" / "matcha" / "mlops"
    links = {path.name: os.readlink(path) for path in folder.iterdir()}
    assert links == {name: f"../../../../{name}" for name in ("galaxy.yml", "meta", "playbooks", "plugins", "roles")}


def test_every_playbook_has_its_short_name_at_the_top() -> None:
    problems = []
    for name in playbook_names():
        top = ROOT / f"{name}.yml"
        plays = yaml.safe_load(top.read_text(encoding="utf-8")) if top.exists() else []
        if [play.get("ansible.builtin.import_playbook") for play in plays] != [f"playbooks/{name}.yml"]:
            problems.append(f"{name}.yml at the top must do nothing but import playbooks/{name}.yml")
    report(problems)


def role_options() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield role, name and specification of every documented option."""
    for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        for entry in load(path).get("argument_specs", {}).values():
            for name, option in entry.get("options", {}).items():
                yield path.parent.parent.name, name, option


def test_every_role_and_option_is_documented() -> None:
    problems = [
        f"roles/{role}: {name} has no description" for role, name, o in role_options() if not o.get("description")
    ]
    for tasks in sorted((ROOT / "roles").glob("*/tasks")):
        if not (tasks.parent / "meta" / "argument_specs.yml").exists():
            problems.append(f"roles/{tasks.parent.name}: meta/argument_specs.yml is missing")
    report(problems)


def test_every_default_is_documented_as_it_is() -> None:
    problems = []
    options = {}
    for role, name, option in role_options():
        options.setdefault(name, []).append((role, option))
    for path in sorted((ROOT / "roles").glob("*/defaults/**/*.yml")):
        where = path.relative_to(ROOT)
        for name, value in load(path).items():
            if name.startswith("matcha_") and name not in options:
                problems.append(f"{where}: {name} is in no role's argument_specs.yml")
            if "{{" in json.dumps(value, default=str):
                continue
            for role, option in options.get(name, []):
                if role == where.parts[1] and option.get("default", value) != value:
                    problems.append(f"{where}: {name} is {value!r}, and its documentation says {option['default']!r}")
    report(problems)


def test_an_execution_environment_gets_what_the_controller_has() -> None:
    named = {
        Requirement(line).name.lower()
        for line in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    bounds = {}
    for line in (ROOT / "ee-requirements.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            requirement = Requirement(line)
            bounds[requirement.name.lower()] = requirement.specifier
    # ansible-core is the environment's own.
    assert set(bounds) == named - {"ansible-core"}
    problems = [f"{name}: no lower bound" for name, bound in bounds.items() if not str(bound).startswith(">=")]
    for name, version in re.findall(
        r"^([\w.-]+)==([^ ]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE
    ):
        if name in bounds and not bounds[name].contains(version, prereleases=True):
            problems.append(f"{name}: locked with {version}, which is not {bounds[name]}")
    report(problems)
    assert load(ROOT / "meta" / "execution-environment.yml")["dependencies"] == {"python": "ee-requirements.txt"}


# The artifact


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact")
    run("ansible-galaxy", "collection", "build", "--output-path", folder, ROOT)
    (path,) = folder.glob("matcha-mlops-*.tar.gz")
    return path


@pytest.fixture(scope="module")
def installed(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    run(
        "ansible-galaxy",
        "collection",
        "install",
        "--offline",
        "-p",
        folder,
        artifact,
        ANSIBLE_COLLECTIONS_PATH=str(folder),
    )
    return folder / "ansible_collections" / "matcha" / "mlops"


def test_the_artifact_holds_only_what_a_user_needs(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        names = [name for name in archive.getnames() if name != "."]
    committed = {str(path.relative_to(ROOT)) for path in repository_files()}
    folders = {str(parent) for name in committed for parent in Path(name).parents}
    problems = [f"{name}: not in the list of test_gates.py" for name in names if name.split("/")[0] not in ARTIFACT]
    for name in names:
        if name not in committed | folders | {"MANIFEST.json", "FILES.json"}:
            problems.append(f"{name}: not a file of the repository")
        if name.endswith((".in", ".pyc")):
            problems.append(f"{name}: no user needs it")
    report(sorted(set(problems)))


def test_the_artifact_installs_and_verifies(installed: Path) -> None:
    folder = installed.parents[2]
    run(
        "ansible-galaxy",
        "collection",
        "verify",
        "--offline",
        "-p",
        folder,
        "matcha.mlops",
        ANSIBLE_COLLECTIONS_PATH=str(folder),
    )
    assert (installed / "README.md").is_file()
    assert "GNU GENERAL PUBLIC LICENSE" in (installed / "LICENSE").read_text(encoding="utf-8")


# Every supported ansible-core


def core_bin(name: str) -> Path:
    """Return the programs of an environment, made on first use."""
    if name == "current":
        return BIN
    # A Python that was chosen for the tests may not be one for this ansible-core.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHON"}
    made = subprocess.run(
        [ROOT / "tools" / "bootstrap", name],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        sentence = made.stderr.strip().splitlines()[-1]
        if sentence.startswith("No Python"):
            pytest.skip(sentence)
        pytest.fail(sentence, pytrace=False)
    return ROOT / "build" / f"venv-{name}" / "bin"


CORES = [
    "current",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("ansible-2.17", "ansible-2.19", "ansible-2.21")),
]


@pytest.mark.parametrize("core", CORES)
def test_playbooks_parse(core: str) -> None:
    programs = core_bin(core)
    names = playbook_names()
    books = [f"playbooks/{name}.yml" for name in names]
    books += [f"{name}.yml" for name in names] + [f"matcha.mlops.{name}" for name in names]
    printed = run(
        programs / "ansible-playbook", "--syntax-check", *books, ANSIBLE_DEPRECATION_WARNINGS="1", ANSIBLE_NOCOLOR="1"
    )
    warnings = [line for line in printed.splitlines() if "DEPRECATION" in line or "[WARNING]" in line]
    # The group of a deployment's components is made by the run.
    report([line for line in warnings if "ignoring: matcha_components" not in line])


@pytest.mark.parametrize("core", CORES)
def test_documentation_can_be_read(core: str) -> None:
    programs = core_bin(core)
    expected = {
        "module": {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__"},
        "lookup": {path.stem for path in (ROOT / "plugins" / "lookup").glob("*.py") if path.stem != "__init__"},
        "role": {path.parent.parent.name for path in (ROOT / "roles").glob("*/meta/argument_specs.yml")},
    }
    problems = []
    for kind, names in expected.items():
        full_names = [f"matcha.mlops.{name}" for name in sorted(names)]
        if full_names:
            printed = run(programs / "ansible-doc", "--json", "-t", kind, *full_names, ANSIBLE_NOCOLOR="1")
            found = json.loads(printed[printed.index("{") :])
            problems += [f"{kind} {name} cannot be read" for name in full_names if not found.get(name)]
    report(problems)


# ansible-test

GET_PIP = '''\
"""Stand for get-pip: ansible-test's own comes from a host that not everybody reaches."""
import os, runpy, sys
arguments = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.path.insert(0, {pip!r})
sys.argv = ["pip", "install", "--upgrade", "--force-reinstall", *arguments]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
'''


@pytest.mark.slow
@pytest.mark.parametrize(
    "core",
    ["current", *(pytest.param(core, marks=pytest.mark.one_of("sanity")) for core in ("ansible-2.17", "ansible-2.21"))],
)
def test_sanity(core: str, installed: Path) -> None:
    programs = core_bin(core)
    place = ROOT / "build" / "ansible-test" / core
    home = place / "home"
    tree = place / "ansible_collections" / "matcha" / "mlops"
    # Only pip, and not what lies beside it.
    pip = place / "pip"
    if not pip.exists():
        shutil.copytree(Path(sysconfig.get_path("purelib")) / "pip", pip / "pip")
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in ("23_1_2", "24_2", "25_2"):
        (cache / f"get_pip_{version}.py").write_text(GET_PIP.format(pip=str(pip)), encoding="utf-8")
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(installed, tree, symlinks=True)
    # A repository of its own: the one around it ignores build/, and ansible-test would see no file.
    run("git", "init", "--quiet", cwd=tree)
    version = run(programs / "python", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    printed = run(
        programs / "ansible-test", "sanity", "--color", "no", "--local", "--python", version,
        cwd=tree, only="^(ERROR|FATAL|See)", HOME=str(home), PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
    )  # fmt: skip
    assert "All targets skipped" not in printed
    report([line for line in printed.splitlines() if line.startswith("ERROR")])
