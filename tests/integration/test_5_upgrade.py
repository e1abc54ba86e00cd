# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A newer pinned version of a component upgrades in place and keeps its data."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from deployments import COMPONENTS, ROOT, made, new_home, python_of

if TYPE_CHECKING:
    import random

    from deployments import Deployment

OLD = {path.stem.partition("-")[0]: path for path in (ROOT / "tests" / "locks").glob("*.txt")}
PROBE = ROOT / "tests" / "integration" / "upgraded.py"


def probe(deployment: Deployment, component: str, action: str) -> None:
    """Make data, or check that it is there, with the component's own libraries: those of its environment."""
    outputs = deployment.home / "outputs.json"
    asked = {"matcha_output": "json", "matcha_show_sensitive": True, "matcha_output_file": str(outputs)}
    deployment.run("outputs", **asked).ok()
    command = [python_of(deployment, component), str(PROBE), component, action, str(outputs), str(deployment.home)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_upgrade(rng: random.Random, full: bool) -> None:
    assert set(OLD) == set(COMPONENTS)
    for component in COMPONENTS if full else [rng.choice(COMPONENTS)]:
        print(f"upgrade of {component}")
        for deployment in made(new_home(), stack=f"only-{component}"):
            old = OLD[component].stem.partition("-")[2]
            before = {f"matcha_{component}_version": old, f"matcha_{component}_requirements": str(OLD[component])}
            deployment.run("provision", **before).ok()
            assert deployment.state["components"][component]["version"] == old
            identity, port = deployment.state["matcha_uuid"], deployment.state["ports"]
            probe(deployment, component, "make")

            assert deployment.run("provision").ok().changed == {f"matcha-{component}"}
            deployment.assert_healthy(component)
            new = deployment.state["components"][component]["version"]
            assert new != old
            assert (deployment.state["matcha_uuid"], deployment.state["ports"]) == (identity, port)
            # The old environment is gone.
            assert len(list((deployment.path / "environments").iterdir())) == 1
            probe(deployment, component, "check")
            assert not deployment.run("provision").ok().changed

            if component in ("zenml", "mlflow"):
                (backup,) = (deployment.path / "backups").iterdir()
                assert backup.name.startswith(f"{component}-{old}-")
                names = {"zenml": {"zenml.db"}, "mlflow": {"mlflow.db", "auth.db"}}
                assert {path.name for path in backup.iterdir()} == names[component]
                snapshot = json.dumps(deployment.state)
                deployment.run("provision", **before).failed(f"cannot use data of {new}", "backups")
                assert json.dumps(deployment.state) == snapshot
                deployment.run("provision").ok()
                deployment.assert_healthy(component)
