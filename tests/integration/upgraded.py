# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by a component's own Python, in an older and in a newer version: make data, or check that it is there.

``upgraded.py COMPONENT make|check OUTPUTS_FILE FOLDER``
"""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

COMPONENT, ACTION, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[4])
OUTPUTS = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
MAKES = ACTION == "make"


def call(url: str, body: object = None, **headers: str) -> "dict":
    """Send a request and return the decoded answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json", **headers})  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as response:
        return json.loads(response.read() or "{}")


def zenml() -> None:
    """Use a stack, its identifier, and the key of its clients."""
    found = OUTPUTS["pipeline"]
    form = urllib.parse.urlencode({"password": found["server-api-key"]}).encode()
    request = urllib.request.Request(f"{found['server-url']}/api/v1/login", data=form)  # noqa: S310
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as response:
        token = json.loads(response.read())["access_token"]
    (stack,) = call(f"{found['server-url']}/api/v1/stacks?name=matcha", Authorization=f"Bearer {token}")["items"]
    kept = FOLDER / "stack"
    if MAKES:
        kept.write_text(stack["id"], encoding="utf-8")
    assert kept.read_text(encoding="utf-8") == stack["id"]


def mlflow() -> None:
    """Use a run with an artifact."""
    found = OUTPUTS["experiment-tracker"]
    os.environ.update(
        MLFLOW_TRACKING_URI=found["tracking-url"],
        MLFLOW_TRACKING_USERNAME=found["username"],
        MLFLOW_TRACKING_PASSWORD=found["password"],
        MLFLOW_DISABLE_TELEMETRY="true",
        GIT_PYTHON_REFRESH="quiet",
    )
    import mlflow

    if MAKES:
        mlflow.set_experiment("kept")
        with mlflow.start_run():
            mlflow.log_metric("cups", 42)
            mlflow.log_text("matcha", "tea.txt")
    (run,) = mlflow.search_runs(experiment_names=["kept"], output_format="list")
    assert run.data.metrics == {"cups": 42.0}
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/tea.txt") == "matcha"


def chroma() -> None:
    """Use a collection of vectors."""
    import chromadb

    host, port = OUTPUTS["vector-database"]["server-url"].rsplit("/", 1)[1].split(":")
    client = chromadb.HttpClient(host=host, port=int(port))
    if MAKES:
        made = client.create_collection("kept", embedding_function=None)
        made.add(ids=["matcha"], embeddings=[[0.0, 1.0]], documents=["a powder"])
    found = client.get_collection("kept", embedding_function=None).query(query_embeddings=[[0.1, 0.9]], n_results=1)
    assert found["documents"] == [["a powder"]]


def seldon() -> None:
    """Use a model that is served."""
    import joblib
    from sklearn.linear_model import LinearRegression

    found = OUTPUTS["model-deployer"]
    if MAKES:
        draft = Path(found["models-path"]) / ".kept"
        draft.mkdir()
        joblib.dump(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]), draft / "model.joblib")
        settings = {"name": "kept", "implementation": "mlserver_sklearn.SKLearnModel"}
        settings["parameters"] = {"uri": "./model.joblib"}
        (draft / "model-settings.json").write_text(json.dumps(settings), encoding="utf-8")
        draft.rename(draft.with_name("kept"))
        call(f"{found['base-url']}/v2/repository/models/kept/load", {})
    inputs = [{"name": "predict", "shape": [1, 1], "datatype": "FP64", "data": [2.0]}]
    answer = call(f"{found['base-url']}/v2/models/kept/infer", {"inputs": inputs})
    assert round(answer["outputs"][0]["data"][0], 6) == 5.0


def dvc() -> None:
    """Use a file in the remote, of a repository that stays."""
    os.environ.update(DVC_NO_ANALYTICS="1", DVC_SITE_CACHE_DIR=str(FOLDER / "site"))
    repository = FOLDER / "repository"
    command = [sys.executable, "-m", "dvc"]
    if MAKES:
        repository.mkdir()
        subprocess.run(["git", "init", "--quiet"], cwd=repository, check=True)
        (repository / "tea.txt").write_text("matcha", encoding="utf-8")
        remote = OUTPUTS["data-version-control"]["remote-url"]
        for arguments in (["init"], ["remote", "add", "-d", "matcha", remote], ["add", "tea.txt"], ["push"]):
            subprocess.run([*command, *arguments], cwd=repository, check=True)
    subprocess.run(["rm", "-rf", ".dvc/cache", "tea.txt"], cwd=repository, check=True)
    subprocess.run([*command, "pull"], cwd=repository, check=True)
    assert (repository / "tea.txt").read_text(encoding="utf-8") == "matcha"


{"zenml": zenml, "mlflow": mlflow, "chroma": chroma, "seldon": seldon, "dvc": dvc}[COMPONENT]()
