# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers that images share: a small Debian with its Python, and Python environments from lock files.

Neither root nor a container engine is needed: packages are unpacked, and Python compiles by Debian's own interpreter,
started by its own loader, so that this machine's Python may be another one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kubernetes.caches import key
from tests.kubernetes.packages import ENVIRONMENT, packages

from .layers import Layer, layer, unpacked
from .trust import BUNDLE

if TYPE_CHECKING:
    from collections.abc import Iterable

PYTHON = "python3.11"
VENV = "opt/venv"
_SITE = f"{VENV}/lib/{PYTHON}/site-packages"
_DEBIAN = (
    *(
        "base-files",
        "base-passwd",
        "bash",
        "ca-certificates",
        "coreutils",
        "dash",
        "debianutils",
        "findutils",
        "grep",
        "gzip",
    ),
    *("hostname", "libc-bin", "libstdc++6", "mawk", "netbase", "openssl", PYTHON, "sed", "tar", "tzdata"),
)
# What no program reads; and Perl, which only scripts of Debian's own need here.
_UNREAD = re.compile(
    r"usr/share/(doc|man|info|locale|lintian|bug|menu|perl|perl5|mysql/(?!english|charsets))(/|$)|usr/share/gitweb"
    r"|usr/lib/[^/]+/(perl|gconv/(?!gconv-modules|UTF|ISO8859-1\.))|usr/(bin|lib)/[^/]*perl[^/]*$|.*/libperl\.so"
    r"|usr/lib/python3\.11/(test|idlelib|lib2to3|turtledemo|pydoc_data)(/|$)|var/(cache|lib/dpkg)/.*|var/(run|lock)$"
)
# Large, and only of use to who develops them.
_TESTS = re.compile(r"(numpy|pandas|scipy|sklearn|pyarrow|networkx|skops|matplotlib|shap|dask|gevent)(/.*)?/tests$")
_AUTHORITIES = ("cacert.pem", "roots.pem")


def _leave_out(name: str) -> bool:
    return _UNREAD.match(name) is not None


def base() -> Layer:
    """Return the layer below all others: Debian without an init, a package manager's database or Perl."""

    def fill(tree: Path) -> None:
        unpacked(_DEBIAN, tree, _leave_out)
        for name in ("bin", "lib", "lib64", "sbin"):
            (tree / name).symlink_to(f"usr/{name}")
        links = {"usr/bin/awk": "mawk", "usr/bin/python3": PYTHON, "usr/bin/python": PYTHON, "var/run": "/run"}
        # Where OpenSSL looks first: so no folder of hashed names is needed.
        links |= {"usr/lib/ssl/cert.pem": f"/{BUNDLE}"}
        for name, target in links.items():
            if not (tree / name).is_symlink():
                (tree / name).symlink_to(target)
        _compile(tree, tree / "usr/lib" / PYTHON)

    return layer("debian", key("1", os.uname().machine, *_DEBIAN, _UNREAD.pattern), fill)


def more(names: tuple[str, ...]) -> Layer:
    """Return a layer of Debian packages, with what they need beyond the base."""
    below = packages(_DEBIAN, depends=True)

    def leave_out(name: str) -> bool:
        old = name.removeprefix("usr/")
        return _leave_out(name) or any((below / path).is_file() or (below / path).is_symlink() for path in (name, old))

    def fill(tree: Path) -> None:
        unpacked(names, tree, leave_out)

    return layer("packages", key("1", os.uname().machine, *names, *_DEBIAN, _UNREAD.pattern), fill)


def environment(lock: str) -> Layer:
    """Return a layer with the environment that a lock file describes, in /opt/venv."""

    def fill(tree: Path) -> None:
        site = tree / _SITE
        site.mkdir(parents=True)
        _install(lock, site)
        if (site / "bin").is_dir():
            (site / "bin").rename(tree / VENV / "bin")
        _make_scripts(tree / VENV / "bin")
        (tree / VENV / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n", "utf-8")
        for path in sorted(site.rglob("*")):
            if path.is_dir() and _TESTS.search(str(path.relative_to(site))):
                shutil.rmtree(path)
            elif path.name in _AUTHORITIES and path.is_file():
                # As Debian does: a client trusts whom the system trusts.
                path.unlink()
                path.symlink_to(f"/{BUNDLE}")
        _compile(tree, site)

    return layer("environment", key("1", os.uname().machine, lock, _TESTS.pattern, *_AUTHORITIES), fill)


def _install(lock: str, site: Path) -> None:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if not uv:
        raise RuntimeError("uv was not found: run 'make setup' first.")
    requirements = site.parent / "requirements.txt"
    requirements.write_text(lock, "utf-8")
    command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(site)]
    command += ["--python-version", "3.11", "--python-platform", f"{os.uname().machine}-manylinux_2_36"]
    command += ["--no-deps", "--require-hashes", "--link-mode", "hardlink", "--no-compile-bytecode"]
    variables = {**ENVIRONMENT, "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    result = subprocess.run([*command, "-r", str(requirements)], env=variables, check=False)
    requirements.unlink()
    if result.returncode:
        raise RuntimeError("The packages could not be installed: see uv's message above.")


def _make_scripts(folder: Path) -> None:
    """Let programs be run by the image's Python."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        data = path.read_bytes()
        first, newline, rest = data.partition(b"\n")
        if first.startswith(b"#!") and b"python" in first:
            mode = path.stat().st_mode
            # Not in place: the file may be the same as the one in uv's cache.
            path.unlink()
            path.write_bytes(f"#!/{VENV}/bin/python".encode() + newline + rest)
            path.chmod(mode)
    for name in ("python", "python3", PYTHON):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(f"/usr/bin/{PYTHON}")


def _compile(tree: Path, folder: Path) -> None:
    """Compile all below a folder: a container's file system is read-only, and would do it at every start."""
    debian = packages(_DEBIAN, depends=True)
    loader = next(debian.glob("lib/*-linux-gnu/ld-linux-*.so.*"))
    libraries = [str(loader.parent), str(debian / "usr/lib" / loader.parent.name)]
    command = [str(loader), "--library-path", ":".join(libraries), str(debian / "usr/bin" / PYTHON), "-m"]
    command += ["compileall", "-q", "-q", "-j", "2", "-s", str(tree), "-p", "/", "--invalidation-mode"]
    # What does not compile is a template, or for another Python.
    subprocess.run(
        [*command, "unchecked-hash", str(folder)],
        env={"PYTHONHOME": str(debian / "usr"), "LC_ALL": "C.UTF-8"},
        stdout=subprocess.DEVNULL,
        check=False,
    )


def merged(locks: Iterable[Path]) -> str:
    """Join lock files; what stands in an earlier one is left out of the later ones."""
    seen: set[str] = set()
    text = ""
    for lock in locks:
        new = {name: block for name, block in blocks(lock.read_text("utf-8")).items() if name not in seen}
        seen |= set(new)
        text += "".join(new.values())
    return text


def blocks(text: str) -> dict[str, str]:
    """Split a lock file into the requirements of each package."""
    found: dict[str, str] = {}
    for block in re.findall(r"^[a-z0-9][^\n]*\n(?:[ \t]+[^\n]*\n?)*", text, re.MULTILINE):
        name = re.split(r"[^A-Za-z0-9._-]", block, maxsplit=1)[0]
        found[name] = found.get(name, "") + block
    return found
