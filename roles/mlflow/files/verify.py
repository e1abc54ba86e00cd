# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Use MLflow as a client does: track a run, register a model, load it back.

Needs MLFLOW_TRACKING_URI, MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD; with
MLFLOW_BACKEND_STORE_URI what it made is also removed from the database.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "client" / "files"))
sys.dont_write_bytecode = True  # beside the roles; verification.py allows it again

from verification import Verification, remove_from_mlflow  # noqa: E402


def body(verification: Verification) -> None:
    """Run the steps."""
    name = verification.name
    verification.reach("MLFLOW_TRACKING_URI")
    with verification.step("load the client"):
        import mlflow
        import mlflow.sklearn
        import numpy as np
        from sklearn.linear_model import LinearRegression
    verification.finally_do(lambda: remove_from_mlflow(verification.prefix))

    with verification.step("log a run with an artifact"):
        mlflow.set_experiment(name)
        with mlflow.start_run() as run:
            mlflow.log_param("colour", "green")
            mlflow.log_metric("score", 0.5)
            mlflow.log_text("matcha", "tea.txt")
    with verification.step("read the run back"):
        data = mlflow.get_run(run.info.run_id).data
        verification.expect(data.params, {"colour": "green"}, "The run's parameters")
        verification.expect(data.metrics, {"score": 0.5}, "The run's metrics")
        text = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/tea.txt")
        verification.expect(text, "matcha", "The run's artifact")
    with verification.step("register a model"):
        points = np.array([[0.0], [1.0], [2.0]])
        model = LinearRegression().fit(points, [1.0, 3.0, 5.0])
        # Known requirements: MLflow would start a process to find them out.
        mlflow.sklearn.log_model(model, name="model", registered_model_name=name, pip_requirements=["scikit-learn"])
    with verification.step("load the model back"):
        loaded = mlflow.pyfunc.load_model(f"models:/{name}/1")
        verification.expect([round(value, 6) for value in loaded.predict(points)], [1.0, 3.0, 5.0], "The prediction")


if __name__ == "__main__":
    Verification("mlflow").run(body)
