# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A component's verification: its ``verify.py`` run by an environment's Python, with secrets from their files."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import MatchaError
from ..files import make_private
from . import secrets
from .folder import Folder


class VerificationError(MatchaError):
    """A component does not do what its clients need."""


def verify(
    folder: Folder,
    script: str,
    *,
    python: str,
    environment: Mapping[str, str],
    secret_names: Mapping[str, str],
    timeout: float,
) -> dict[str, Any]:
    """Run a script of ``roles/*/files/verify.py`` and return its report: ``component``, ``steps``, ``seconds``.

    Raises ``VerificationError`` with the script's own sentence.
    """
    values = {**environment, **{name: secrets.read(folder, secret) for name, secret in secret_names.items()}}
    make_private(folder.path / "run")
    # NamedTemporaryFile makes it with mode 0600.
    with tempfile.NamedTemporaryFile("w", dir=folder.path / "run", prefix="verify-", encoding="utf-8") as file:
        file.write("".join(f"{name}={value}\n" for name, value in values.items()))
        file.flush()
        try:
            result = subprocess.run(  # pylint: disable=ansible-bad-function
                [python, script, file.name],
                env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                # What fences this process fences the script too: see stack/lock.py.
                close_fds=False,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise VerificationError(f"{Path(script).parts[-3]} was not verified within {timeout:.0f} s.") from error
    try:
        report: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    except (ValueError, IndexError) as error:
        said = secrets.redact(folder, result.stderr[-1000:]).strip()
        raise VerificationError(f"{script} gave no report (exit status {result.returncode}): {said}") from error
    if "error" in report:
        raise VerificationError(secrets.redact(folder, str(report["error"])))
    report["seconds"] = round(sum(step["seconds"] for step in report["steps"]), 2)
    return report
