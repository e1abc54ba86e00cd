# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Use Seldon's model server as a client does: deploy a model from MLflow, ask it, remove it.

Needs SELDON_URL, SELDON_MODELS (the folder of the models) and MLflow's MLFLOW_TRACKING_URI,
MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, MLFLOW_BACKEND_STORE_URI. Without a tracking
server the model is saved without one. In a cluster, with SELDON_NAMESPACE, it needs in place of the folder
SELDON_STORAGE_ACCOUNT and SELDON_STORAGE_CONTAINER, SELDON_CLIENT_IMAGE and SELDON_SERVER_IMAGE.
"""

import os
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "client" / "files"), str(Path(__file__).resolve().parent)]
sys.dont_write_bytecode = True  # beside the roles; verification.py allows it again

from verification import Verification, remove_from_mlflow  # noqa: E402
from verify_models import Cluster, Folder  # noqa: E402


def body(verification: Verification) -> None:
    """Run the steps."""
    name = verification.name
    url = verification.reach("SELDON_URL")
    tracked = bool(os.environ.get("MLFLOW_TRACKING_URI") and verification.reach("MLFLOW_TRACKING_URI"))
    with verification.step("load the client"):
        import mlflow
        import mlflow.sklearn
        import pandas as pd
        import requests
        from sklearn.linear_model import LinearRegression

    served = (Cluster if os.environ.get("SELDON_NAMESPACE") else Folder)(verification, url)
    verification.finally_do(lambda: served.remove_all(verification.prefix))
    if tracked:
        verification.finally_do(lambda: remove_from_mlflow(verification.prefix))

    points = pd.DataFrame({"leaves": [0.0, 1.0, 2.0, 4.0], "water": [1.0, 0.0, 3.0, 2.0]})
    model = LinearRegression().fit(points, 2 * points["leaves"] + points["water"] + 1)
    expected = [round(float(value), 6) for value in model.predict(points)]
    options = {
        "signature": mlflow.models.infer_signature(points, model.predict(points)),
        # Known requirements: MLflow would start a process to find them out.
        "pip_requirements": ["scikit-learn"],
    }
    if tracked:
        with verification.step("register a model in MLflow"):
            mlflow.set_experiment(name)
            mlflow.sklearn.log_model(model, name="model", registered_model_name=name, **options)

    def save(folder: Path) -> None:
        if tracked:
            mlflow.artifacts.download_artifacts(f"models:/{name}/1", dst_path=str(folder / "model"))
        else:
            mlflow.sklearn.save_model(model, str(folder / "model"), **options)

    with verification.step("deploy the model"):
        served.deploy(name, save)
    with verification.step("predict"):
        inputs = [
            {"name": column, "shape": [len(points), 1], "datatype": "FP64", "data": points[column].tolist()}
            for column in points.columns
        ]
        answer = served.ask(name, {"inputs": inputs})
        text = " ".join(answer.text.split())[:200]
        verification.expect(answer.status_code, 200, f"The answer to the question ({text})")
        found = [round(float(value), 6) for value in answer.json()["outputs"][0]["data"]]
        verification.expect(found, expected, "The prediction")
    with verification.step("remove the model"):
        served.remove(name)
        status = requests.get(f"{served.url(name)}/ready", timeout=60).status_code
        verification.expect(status, 404, "The answer about the removed model")


if __name__ == "__main__":
    Verification("seldon").run(body)
