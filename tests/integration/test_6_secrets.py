# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is in the state, in what is printed, in a process's arguments, or in a file that others can read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deployments import Processes

if TYPE_CHECKING:
    from deployments import Deployment


def test_no_secret_is_seen(llm: Deployment) -> None:
    secrets = dict(llm.secrets)
    assert set(secrets) == {
        "mlflow-password",
        "mlflow-secret-key",
        "zenml-api-key",
        "zenml-encryption-key",
        "zenml-jwt-key",
        "zenml-password",
    }
    with Processes() as seen:
        llm.said.append(llm.run("provision", "-vvv", "--diff", matcha_rotate_passwords=["zenml", "mlflow"]).ok().output)
        for number, (name, value) in enumerate(llm.secrets.items()):
            secrets[f"{name} {number}"] = value
        # One task of each kind that changes something, with what differs shown.
        run = llm.path / "config" / "zenml" / "run"
        run.write_text(run.read_text(encoding="utf-8") + f"# {llm.secret('zenml-password')}\n", encoding="utf-8")
        llm.said.append(llm.run("provision", "-vvv", "--check", "--diff").ok().output)
        llm.said.append(llm.run("provision", "-vvv", "--diff").ok().output)
        for playbook in ("verify", "outputs", "status", "stop", "start"):
            llm.said.append(llm.run(playbook, "-vvv").ok().output)
    llm.said.extend(seen.arguments)
    assert any("uvicorn" in arguments for arguments in seen.arguments)
    llm.said.append((llm.path / "state.json").read_text(encoding="utf-8"))
    llm.said.extend(path.read_text(encoding="utf-8") for path in (llm.path / "logs").iterdir())
    places = [*(llm.path / "config").rglob("*"), *(llm.path / "supervisor").rglob("*")]
    llm.said.extend(path.read_text(encoding="utf-8") for path in places if path.is_file())
    found = {name for name, value in secrets.items() for text in llm.said if value in text}
    assert not found
    # The search finds what is there.
    assert re.search(r"mlflow-password", "".join(llm.said))


def test_only_the_owner_reads_a_secret(llm: Deployment) -> None:
    assert (llm.path / "secrets").stat().st_mode & 0o777 == 0o700
    for path in (llm.path / "secrets").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    wrong = llm.path / "secrets" / "mlflow-password"
    wrong.chmod(0o644)
    # Both need it: the first to come mends it.
    assert llm.run("provision").ok().changed <= {"matcha-mlflow", "matcha-zenml"}
    assert wrong.stat().st_mode & 0o777 == 0o600
