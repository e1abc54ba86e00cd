# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the MLflow server in one process: ``serve.py`` takes the options of ``mlflow server``.

``mlflow server`` starts uvicorn as a child and waits for it. Both load all of MLflow, and if the
parent is killed the child lives on and keeps the port. Here uvicorn runs in the first process.
"""

import os
import sys
from pathlib import Path

# Before MLflow: it turns its protection on (host and origin of a request) where it sees a server.
import uvicorn

# isort: split
import mlflow.server
from mlflow.cli import cli


def serve_here(command: "list[str]", *, extra_env: "dict[str, str]", **_options: object) -> None:
    """Run ``python -m uvicorn ...`` in this process."""
    os.environ.update(extra_env)
    uvicorn.main(args=command[command.index("uvicorn") + 1 :])


def add_secrets() -> None:
    """Add the administrator's password to the configuration, in memory alone.

    Releases before 3.17 look for it there, and not in the environment. So does every release for the
    address of the accounts' database, which has a password in it unless it is a file.
    """
    configuration = Path(os.environ["MLFLOW_AUTH_CONFIG_PATH"]).read_text(encoding="utf-8")
    configuration += f"\nadmin_password = {os.environ['MLFLOW_AUTH_ADMIN_PASSWORD']}\n"
    if "MLFLOW_AUTH_DATABASE_URI" in os.environ:
        configuration += f"database_uri = {os.environ['MLFLOW_AUTH_DATABASE_URI']}\n"
    handle = os.memfd_create("basic_auth.ini")
    os.write(handle, configuration.encode())
    os.environ["MLFLOW_AUTH_CONFIG_PATH"] = f"/proc/self/fd/{handle}"


def prepare_accounts() -> None:
    """Bring the accounts' database to this release, where MLflow fails to.

    Two of its foreign keys have the same name, which MySQL refuses (mlflow/mlflow#9642), and it asks for
    the revision in a transaction that stays open while another connection changes the tables (#15108).
    """
    from mlflow.server.auth.db import utils
    from sqlalchemy import ForeignKeyConstraint, Table, create_engine, event

    @event.listens_for(ForeignKeyConstraint, "after_parent_attach")
    def rename(constraint: ForeignKeyConstraint, table: Table) -> None:
        if constraint.name == "fk_user_id":
            constraint.name = f"fk_{table.name}_user_id"

    utils.migrate(create_engine(os.environ["MLFLOW_AUTH_DATABASE_URI"]), "head")


if __name__ == "__main__":
    add_secrets()
    if "MLFLOW_AUTH_DATABASE_URI" in os.environ:
        prepare_accounts()
    if not hasattr(mlflow.server, "_exec_cmd"):
        sys.exit("This release of MLflow starts its server in another way: adapt serve.py.")
    mlflow.server._exec_cmd = serve_here
    cli(["server", *sys.argv[1:]])
