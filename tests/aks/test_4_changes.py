# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""New passwords, and new versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.aks.stack import Aks


def test_passwords_are_rotated_in_one_run(llm: Aks) -> None:
    before = llm.outputs()
    llm.run("provision", matcha_rotate_passwords=["zenml", "mlflow"]).ok()
    after = llm.outputs()
    for resource, name in (("pipeline", "server-password"), ("experiment-tracker", "password")):
        assert before[resource][name] != after[resource][name], resource
    llm.keep("check")
    llm.run("verify").ok()
    llm.assert_converged()
