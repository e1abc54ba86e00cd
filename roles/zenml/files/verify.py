# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Use ZenML as a client does: run a two-step pipeline on the registered stack.

Needs ZENML_STORE_URL and ZENML_STORE_API_KEY. MATCHA_ZENML_STACK names the stack (`matcha` if
unset). With MATCHA_ZENML_IMAGE the steps run in pods of this image, to which ZenML brings this file
through the artifact store, and nothing is built. With MLFLOW_TRACKING_URI, MLFLOW_TRACKING_USERNAME,
MLFLOW_TRACKING_PASSWORD and MLFLOW_BACKEND_STORE_URI the metric is looked up in MLflow, and removed
there.
"""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "client" / "files"))
sys.dont_write_bytecode = True  # beside the roles; verification.py allows it again

from verification import Verification, VerificationError, remove_from_mlflow  # noqa: E402


def files_of(pipeline_id: Any) -> "list[str]":
    """Return where a pipeline's logs and its code are, in the artifact store."""
    from zenml.client import Client

    client, found = Client(), []
    for run in client.list_pipeline_runs(pipeline_id=pipeline_id, hydrate=True, size=100):
        logs = [*(run.log_collection or [])]
        for step in client.list_run_steps(pipeline_run_id=run.id, hydrate=True, size=100):
            logs += step.log_collection or []
        found += [log.uri for log in logs]
    for snapshot in client.list_snapshots(pipeline=pipeline_id, named_only=False, hydrate=True, size=100):
        found.append(snapshot.code_path)
    return [path for path in found if path]


def remove_from_zenml(prefix: str) -> None:
    """Remove every pipeline whose name begins with a prefix: its runs, artifacts, files, logs and code."""
    from zenml.client import Client

    client = Client()
    store = client.active_stack.artifact_store
    for pipeline in client.list_pipelines(name=f"startswith:{prefix}", size=100):
        for path in files_of(pipeline.id):
            if store.exists(path):
                store.remove(path)
        for run in client.list_pipeline_runs(pipeline_id=pipeline.id, size=100):
            client.delete_pipeline_run(run.id)
        for snapshot in client.list_snapshots(pipeline=pipeline.id, named_only=False, size=100):
            client.delete_snapshot(snapshot.id)
        client.delete_pipeline(pipeline.id)
    for artifact in client.list_artifacts(name=f"startswith:{prefix}", size=100):
        for version in client.list_artifact_versions(artifact=artifact.id, size=100):
            client.delete_artifact_version(version.id, delete_metadata=True, delete_from_artifact_store=True)
        if client.list_artifacts(id=artifact.id):
            client.delete_artifact(artifact.id)
    # The steps' folders: a step bears the pipeline's name.
    for name in store.listdir(store.path):
        if str(name).startswith(prefix):
            store.rmtree(os.path.join(store.path, str(name)))


def remove_from_kubernetes(prefix: str) -> None:
    """Remove the Jobs of every pipeline whose name begins with a prefix, with their pods."""
    from kubernetes.client import BatchV1Api
    from zenml.client import Client

    orchestrator = Client().active_stack.orchestrator
    batch, namespace = BatchV1Api(orchestrator.get_kube_client()), orchestrator.config.kubernetes_namespace
    for job in batch.list_namespaced_job(namespace, label_selector="pipeline").items:
        # A run's Job owns those of its steps.
        if job.metadata.labels["pipeline"].startswith(prefix) and not job.metadata.owner_references:
            batch.delete_namespaced_job(job.metadata.name, namespace, propagation_policy="Background")


def in_image(image: str) -> "dict[str, Any]":
    """Return the options of a pipeline that runs in an image which has what this file imports."""
    from zenml.config import DockerSettings

    imported = Path(sys.modules["verification"].__file__ or "").parent
    settings = DockerSettings(parent_image=image, skip_build=True)
    return {"settings": {"docker": settings}, "environment": {"PYTHONPATH": str(imported)}}


def pick() -> int:
    """Be the first step."""
    return 41


def brew(leaves: int) -> int:
    """Be the second step, tracked in MLflow if the stack has a tracker."""
    import mlflow

    if mlflow.active_run():
        mlflow.log_metric("cups", leaves + 1)
    return leaves + 1


def body(verification: Verification) -> None:
    """Run the steps."""
    name = verification.name
    verification.reach("ZENML_STORE_URL")
    verification.setting("ZENML_STORE_API_KEY")
    # A fresh client: it must find everything on the server.
    scratch = verification.scratch()
    os.environ.update(
        ZENML_CONFIG_PATH=str(scratch / "config"),
        ZENML_ANALYTICS_OPT_IN="false",
        ZENML_ENABLE_REPO_INIT_WARNINGS="false",
        ZENML_LOGGING_COLORS_DISABLED="true",
        ZENML_LOGGING_VERBOSITY="WARN",
    )
    os.chdir(scratch)

    with verification.step("load the client"):
        import mlflow
        from zenml import pipeline, step
        from zenml.client import Client
    with verification.step("choose the stack"):
        client = Client()
        client.activate_stack(os.environ.get("MATCHA_ZENML_STACK") or "matcha")
        stack = client.active_stack
        tracker = stack.experiment_tracker.name if stack.experiment_tracker else None
    verification.finally_do(lambda: remove_from_zenml(verification.prefix))
    image = os.environ.get("MATCHA_ZENML_IMAGE")
    if image:
        verification.finally_do(lambda: remove_from_kubernetes(verification.prefix))
    tracked = bool(tracker and os.environ.get("MLFLOW_TRACKING_URI"))
    if tracked:
        verification.finally_do(lambda: remove_from_mlflow(verification.prefix))

    # ZenML looks its steps up by name in this module.
    steps = globals()
    # ZenML never deletes an artifact's metadata: do without.
    options = {"enable_cache": False, "enable_artifact_metadata": False, "enable_artifact_visualization": False}
    steps["pick"] = step(pick, **options)
    steps["brew"] = step(brew, experiment_tracker=tracker, **options)

    @pipeline(name=name, enable_cache=False, **(in_image(image) if image else {}))
    def tea() -> None:
        steps["brew"](steps["pick"](id=f"{name}-pick"), id=f"{name}-brew")

    # ZenML's tracker sets MLflow's settings for a step and takes them away afterwards.
    mine = {key: value for key, value in os.environ.items() if key.startswith("MLFLOW_")}
    with verification.step("run a pipeline of two steps"):
        run = tea()
        os.environ.update(mine)
        mlflow.set_tracking_uri(mine.get("MLFLOW_TRACKING_URI"))
        if run is None:
            raise VerificationError("ZenML gave no run.")
        run = client.get_pipeline_run(run.id)
        verification.expect(str(run.status), "completed", "The run's status")
    with verification.step("read its result back"):
        result = run.steps[f"{name}-brew"].output.load()
        verification.expect(result, 42, "The pipeline's result")
    if tracked:
        with verification.step("find its metric in MLflow"):
            runs = mlflow.search_runs(experiment_names=[name], output_format="list")
            verification.expect([found.data.metrics for found in runs], [{"cups": 42.0}], "The metric in MLflow")


if __name__ == "__main__":
    Verification("zenml").run(body)
