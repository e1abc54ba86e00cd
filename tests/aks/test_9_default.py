# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack of who asks for none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.aks.stack import Aks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rehearsal.world import World

pytestmark = pytest.mark.one_of("whole stacks")
COMPONENTS = ["zenml", "mlflow", "seldon", "dvc"]


def test_default(empty: World, home: Path) -> None:
    deployment = Aks.of(empty, home, "plain")
    deployment.run("provision").ok()
    assert deployment.unready() == []
    status = deployment.status()
    assert (status["stack"]["name"], set(status["components"])) == ("default", set(COMPONENTS))
    assert "chroma" not in {pod.metadata.namespace for pod in deployment.pods()}
    verified = deployment.run("verify").ok()
    assert re.findall(r"^  (\w+): done", verified.output, re.MULTILINE) == COMPONENTS
    deployment.assert_converged()
    deployment.destroy().ok()
