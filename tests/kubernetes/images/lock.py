# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock what upstream's images have beyond the roles' lock files: libraries for Azure and for MySQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .environment import blocks
from .recipes import HERE, ROOT

_HEADER = """\
# What the image has beyond roles/{name}/files/requirements.txt. Made by:
#     python -m tests.kubernetes.images --lock
"""


def lock() -> None:
    """Lock every requirements/NAME.in: held to the versions of its role, less what the role has already."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if not uv:
        raise RuntimeError("uv was not found: run 'make setup' first.")
    for source in sorted((HERE / "requirements").glob("*.in")):
        role = ROOT / "roles" / source.stem / "files/requirements.txt"
        command = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-annotate", "--no-header"]
        command += ["--python-version", "3.11", "--constraints", str(role), str(source)]
        target = source.with_suffix(".txt")
        with tempfile.NamedTemporaryFile("w+", suffix=".txt", encoding="utf-8") as file:
            # In view, so that uv keeps the versions that are locked already.
            file.write(target.read_text("utf-8") if target.exists() else "")
            file.flush()
            if subprocess.run(
                [*command, "--output-file", file.name], stdout=subprocess.DEVNULL, check=False
            ).returncode:
                raise RuntimeError(f"{source} could not be locked: see uv's message above.")
            found = blocks(Path(file.name).read_text("utf-8"))
        known = blocks(role.read_text("utf-8"))
        new = "".join(block for name, block in found.items() if name not in known)
        target.write_text(_HEADER.format(name=source.stem) + new, "utf-8")
        print(target.relative_to(ROOT))
