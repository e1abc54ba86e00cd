# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the verify scripts share: steps, clean-up, the report, and MLflow's left-overs.

A script is run as ``python verify.py [FILE...]``; each FILE holds ``NAME=value`` lines that are
added to the environment, so that no secret is an argument. It prints one JSON object:
``{"component": ..., "steps": [{"name": ..., "seconds": ...}]}``, with ``"error"`` on failure.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The clients' own code is to be compiled once, not at each run.
sys.dont_write_bytecode = False

# A client must fail in seconds here, and tell nobody about it.
DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}


class VerificationError(Exception):
    """What is wrong, as a sentence."""


class Verification:
    """One verify script's run: its names, its steps, what is to be removed at the end."""

    def __init__(self, component: str) -> None:
        """Read the environment files and keep standard output for the report alone."""
        for name in sys.argv[1:]:
            for line in Path(name).read_text(encoding="utf-8").splitlines():
                key, equals, value = line.partition("=")
                if equals and not key.lstrip().startswith("#"):
                    os.environ[key.strip()] = value
        for key, value in DEFAULTS.items():
            os.environ.setdefault(key, value)
        self.component = component
        # Everything that a verify script makes begins with this: so left-overs are known.
        self.prefix = f"matcha-verify-{component}-"
        self.name = self.prefix + uuid.uuid4().hex[:8]
        self.steps: list[dict[str, Any]] = []
        self._cleanups: list[Callable[[], None]] = []
        # Libraries print too.
        self._report = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        # An end from outside cleans up as well.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("The verification was stopped."))

    def setting(self, name: str) -> str:
        """Return an environment variable that must be there."""
        value = os.environ.get(name, "")
        if not value:
            raise VerificationError(f"{name} is not set: run verify.yml, which sets it.")
        return value

    def reach(self, name: str) -> str:
        """Return the address of a server in an environment variable, once something answers there.

        A client would try again and again, for half a minute, before it says so.
        """
        url = self.setting(name).rstrip("/")
        parts = urlsplit(url)
        try:
            port = parts.port or {"http": 80}.get(parts.scheme, 443)
            socket.create_connection((parts.hostname or "", port), timeout=10).close()
        except OSError as error:
            message = f"Nothing answers at {url} ({error.strerror or error}): status.yml says what runs."
            raise VerificationError(message) from error
        return url

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step, and name it in the error if it fails."""
        start = time.monotonic()
        try:
            yield
        except Exception as error:
            # A client's message may be pages long; its first line says what is wrong.
            text = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise VerificationError(f"{self.component} did not {name}: {text}") from error
        self.steps.append({"name": name, "seconds": round(time.monotonic() - start, 2)})

    def expect(self, found: Any, wanted: Any, what: str) -> None:
        """Fail unless the two are equal."""
        if found != wanted:
            raise VerificationError(f"{what} is {found!r}, not {wanted!r}.")

    def scratch(self) -> Path:
        """Return a new folder that is removed at the end, and remove those of killed runs."""
        for folder in Path(tempfile.gettempdir()).glob(f"{self.prefix}*"):
            owner = folder.name[len(self.prefix) :].partition("-")[0]
            # Another deployment may be verified at the same time: its process is alive.
            if owner.isdigit() and not Path("/proc", owner).exists() and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder)
        made = Path(tempfile.mkdtemp(prefix=f"{self.prefix}{os.getpid()}-"))
        self.finally_do(lambda: shutil.rmtree(made))
        return made

    def finally_do(self, action: Callable[[], None]) -> None:
        """Run an action at the end, whatever happens; the last one first."""
        self._cleanups.append(action)

    def _clean_up(self) -> None:
        errors = []
        for action in reversed(self._cleanups):
            try:
                action()
            except Exception as error:  # noqa: BLE001 (the others are removed all the same)
                errors.append((str(error).strip() or type(error).__name__).splitlines()[0][:300])
        if errors:
            raise VerificationError(f"{self.component}'s verification left something behind: {'; '.join(errors)}")

    def run(self, body: Callable[[Verification], None]) -> None:
        """Run the script's body, clean up, report and exit."""
        error = ""
        try:
            body(self)
        except BaseException as failure:  # noqa: BLE001
            error = str(failure) or type(failure).__name__
        start = time.monotonic()
        try:
            self._clean_up()
        except VerificationError as failure:
            error = f"{error} {failure}".strip()
        else:
            self.steps.append({"name": "leave nothing behind", "seconds": round(time.monotonic() - start, 2)})
        report: dict[str, Any] = {"component": self.component, "steps": self.steps}
        if error:
            report["error"] = error
        print(json.dumps(report), file=self._report, flush=True)
        # Nothing is left to do, and a client's background threads may take seconds to end.
        os._exit(1 if error else 0)


def remove_from_mlflow(prefix: str) -> None:
    """Remove every experiment and registered model whose name begins with a prefix, for good.

    Runs, logged models and files go with their experiment. MLflow's REST interface only marks
    rows as deleted; with ``MLFLOW_BACKEND_STORE_URI`` they are removed from the database too.
    """
    import mlflow
    import requests
    from mlflow.entities import ViewType
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    client = mlflow.MlflowClient()
    url = mlflow.get_tracking_uri().rstrip("/")
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{part}", "") for part in ("USERNAME", "PASSWORD"))
    for model in client.search_registered_models(f"name LIKE '{prefix}%'"):
        client.delete_registered_model(model.name)
    found = client.search_experiments(view_type=ViewType.ALL, filter_string=f"name LIKE '{prefix}%'")
    for experiment in found:
        if experiment.lifecycle_stage == "active":
            for logged in client.search_logged_models(experiment_ids=[experiment.experiment_id]):
                client.delete_logged_model(logged.model_id)
            artifacts = get_artifact_repository(experiment.artifact_location)
            # Where there are none, Azure's storage answers that there is no such folder.
            if artifacts.list_artifacts():
                artifacts.delete_artifacts()
            client.delete_experiment(experiment.experiment_id)
            # The right to it would be that of the next experiment with this number.
            requests.post(
                f"{url}/api/3.0/mlflow/users/permissions/revoke",
                json={"username": user, "resource_type": "experiment", "resource_id": experiment.experiment_id},
                auth=(user, password),
                timeout=60,
            )
    store = os.environ.get("MLFLOW_BACKEND_STORE_URI", "")
    # Another release would bring the database to its own version, under the server's feet.
    if found and store and requests.get(f"{url}/version", auth=(user, password), timeout=60).text == mlflow.__version__:
        _remove_from_database(store, {experiment.experiment_id for experiment in found})


def _remove_from_database(uri: str, experiments: set[str]) -> None:
    """Remove experiments that are marked as deleted from MLflow's database, with all they hold.

    ``mlflow gc --experiment-ids`` does that, and removes everybody's deleted runs too.
    """
    from mlflow.entities import ViewType
    from mlflow.exceptions import MlflowException
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(uri, "mlflow-artifacts:/")
    for run in store.search_runs(list(experiments), "", ViewType.ALL, max_results=1000):
        store._hard_delete_run(run.info.run_id)
    for model in store._get_deleted_logged_models():
        try:
            experiment = str(store.get_logged_model(model, allow_deleted=True).experiment_id)
        except MlflowException:
            # That of another verification, which has just removed it.
            continue
        if experiment in experiments:
            store._hard_delete_logged_model(model)
    for experiment in experiments:
        store._hard_delete_experiment(experiment)
