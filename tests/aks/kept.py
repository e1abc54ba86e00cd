# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run in a pod of the cluster: make data in every component, or check that it is there (ACTION make or check)."""

import json
import os
import urllib.parse
import urllib.request

OUTPUTS = json.loads(os.environ["OUTPUTS"])
MAKES = os.environ["ACTION"] == "make"
NAME = "kept"


def call(url: str, body: object = None, form: "dict | None" = None, **headers: str) -> "dict":
    """Send a request and return the decoded answer."""
    data = urllib.parse.urlencode(form).encode() if form else None if body is None else json.dumps(body).encode()
    kind = {} if form else {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, headers={**kind, **headers})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        return json.loads(response.read() or "{}")


def zenml() -> None:
    """Use a secret, which is encrypted in the database, and the identifier of the stack."""
    found = OUTPUTS["pipeline"]
    form = {"username": found["server-username"], "password": found["server-password"]}
    token = call(f"{found['server-url']}/api/v1/login", form=form)["access_token"]
    who = {"Authorization": f"Bearer {token}"}
    url = f"{found['server-url']}/api/v1"
    if MAKES:
        call(f"{url}/secrets", {"name": NAME, "values": {"tea": "matcha"}, "private": False}, **who)
    (one,) = call(f"{url}/secrets?name={NAME}", **who)["items"]
    assert call(f"{url}/secrets/{one['id']}", **who)["body"]["values"] == {"tea": "matcha"}
    (stack,) = call(f"{url}/stacks?name=matcha", **who)["items"]
    print("zenml", stack["id"])


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
        mlflow.set_experiment(NAME)
        with mlflow.start_run():
            mlflow.log_metric("cups", 42)
            mlflow.log_text("matcha", "tea.txt")
    (run,) = mlflow.search_runs(experiment_names=[NAME], output_format="list")
    assert run.data.metrics == {"cups": 42.0}
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/tea.txt") == "matcha"
    print("mlflow", run.info.run_id)


def chroma() -> None:
    """Use a collection of vectors."""
    import chromadb

    address = urllib.parse.urlsplit(OUTPUTS["vector-database"]["server-url"])
    client = chromadb.HttpClient(host=address.hostname, port=address.port)
    if MAKES:
        made = client.create_collection(NAME, embedding_function=None)
        made.add(ids=["matcha"], embeddings=[[0.0, 1.0]], documents=["a powder"])
    found = client.get_collection(NAME, embedding_function=None).query(query_embeddings=[[0.1, 0.9]], n_results=1)
    assert found["documents"] == [["a powder"]]
    print("chroma")


def dvc() -> None:
    """Use a blob where DVC's files are."""
    from azure.identity import WorkloadIdentityCredential
    from azure.storage.blob import BlobClient

    found = OUTPUTS["data-version-control"]
    account = f"https://{found['account-name']}.blob.core.windows.net"
    blob = BlobClient(account, found["container-name"], NAME, credential=WorkloadIdentityCredential())
    if MAKES:
        blob.upload_blob(b"matcha")
    assert blob.download_blob().readall() == b"matcha"
    print("dvc")


PARTS = {"pipeline": zenml, "experiment-tracker": mlflow, "vector-database": chroma, "data-version-control": dvc}
for each in PARTS.keys() & OUTPUTS.keys():
    PARTS[each]()
