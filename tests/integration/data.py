# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by the clients' Python: make a run, a model, a pipeline and vectors, check that they are there, or remove them.

``data.py make|check|remove OUTPUTS_FILE FOLDER``
"""

import json
import os
import sys
from pathlib import Path

ACTION, OUTPUTS, FOLDER = sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")), Path(sys.argv[3])
NAME = "kept"

os.environ.update(
    MLFLOW_TRACKING_URI=OUTPUTS["experiment-tracker"]["tracking-url"],
    MLFLOW_TRACKING_USERNAME=OUTPUTS["experiment-tracker"]["username"],
    MLFLOW_TRACKING_PASSWORD=OUTPUTS["experiment-tracker"]["password"],
    MLFLOW_DISABLE_TELEMETRY="true",
    ZENML_STORE_URL=OUTPUTS["pipeline"]["server-url"],
    ZENML_STORE_API_KEY=OUTPUTS["pipeline"]["server-api-key"],
    ZENML_CONFIG_PATH=str(FOLDER / "zenml-client"),
    ZENML_ANALYTICS_OPT_IN="false",
    GIT_PYTHON_REFRESH="quiet",
)
os.chdir(FOLDER)

import chromadb  # noqa: E402
import mlflow  # noqa: E402
import mlflow.sklearn  # noqa: E402
import pandas as pd  # noqa: E402
import requests  # noqa: E402
from sklearn.linear_model import LinearRegression  # noqa: E402
from zenml import pipeline, step  # noqa: E402
from zenml.client import Client  # noqa: E402

SERVED = Path(OUTPUTS["model-deployer"]["models-path"]) / NAME
SELDON = OUTPUTS["model-deployer"]["base-url"]
HOST, PORT = OUTPUTS["vector-database"]["server-url"].rsplit("/", 1)[1].split(":")


@step
def brew() -> int:
    """Be a step."""
    return 42


@pipeline(name=NAME, enable_cache=False)
def tea() -> None:
    """Be a pipeline."""
    brew()


def make() -> None:
    """Make one of each."""
    mlflow.set_experiment(NAME)
    points = pd.DataFrame({"leaves": [0.0, 1.0]})
    model = LinearRegression().fit(points, [1.0, 3.0])
    options = {
        "signature": mlflow.models.infer_signature(points, model.predict(points)),
        "pip_requirements": ["scikit-learn"],
    }
    with mlflow.start_run(run_name=NAME):
        mlflow.log_metric("cups", 42)
        mlflow.log_text("matcha", "tea.txt")
        mlflow.sklearn.log_model(model, name="model", registered_model_name=NAME, **options)
    draft = SERVED.with_name(f".{NAME}")
    mlflow.artifacts.download_artifacts(f"models:/{NAME}/1", dst_path=str(draft / "model"))
    settings = {"name": NAME, "implementation": "mlserver_mlflow.MLflowRuntime", "parameters": {"uri": "./model"}}
    (draft / "model-settings.json").write_text(json.dumps(settings), encoding="utf-8")
    draft.rename(SERVED)
    requests.post(f"{SELDON}/v2/repository/models/{NAME}/load", timeout=60).raise_for_status()
    Client().activate_stack("matcha")
    tea()
    vectors = chromadb.HttpClient(host=HOST, port=int(PORT)).create_collection(NAME, embedding_function=None)
    vectors.add(ids=["matcha"], embeddings=[[0.0, 1.0]], documents=["a powder"])


def check() -> None:
    """Fail unless each is there, as it was."""
    (run,) = mlflow.search_runs(experiment_names=[NAME], output_format="list")
    assert run.data.metrics == {"cups": 42.0}
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/tea.txt") == "matcha"
    assert (
        round(float(mlflow.pyfunc.load_model(f"models:/{NAME}/1").predict(pd.DataFrame({"leaves": [2.0]}))[0]), 6)
        == 5.0
    )
    inputs = [{"name": "leaves", "shape": [1, 1], "datatype": "FP64", "data": [2.0]}]
    answer = requests.post(f"{SELDON}/v2/models/{NAME}/infer", json={"inputs": inputs}, timeout=60)
    answer.raise_for_status()
    assert round(answer.json()["outputs"][0]["data"][0], 6) == 5.0
    last = Client().get_pipeline(NAME).last_successful_run
    assert last.steps["brew"].output.load() == 42
    found = chromadb.HttpClient(host=HOST, port=int(PORT)).get_collection(NAME, embedding_function=None).get()
    assert found["documents"] == ["a powder"]


def remove() -> None:
    """Remove what others would trip over."""
    requests.post(f"{SELDON}/v2/repository/models/{NAME}/unload", timeout=60).raise_for_status()
    SERVED.rename(SERVED.with_name(f".{NAME}-old"))


{"make": make, "check": check, "remove": remove}[ACTION]()
