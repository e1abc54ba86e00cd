# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by the clients' Python: two verifications remove what they have logged in MLflow in the same moment.

``tidying.py FOLDER``
"""

import sys
from pathlib import Path

ROOT, FOLDER = Path(__file__).resolve().parents[2], Path(sys.argv[1])
sys.path[:0] = [str(ROOT / "roles" / "client" / "files")]

from mlflow.entities import ViewType  # noqa: E402
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: E402
from verification import _remove_from_database  # noqa: E402

URI = f"sqlite:///{FOLDER / 'mlflow.db'}"
store = SqlAlchemyStore(URI, "mlflow-artifacts:/")
mine, other = store.create_experiment("mine"), store.create_experiment("other")
models = [store.create_logged_model(experiment, name="tea").model_id for experiment in (mine, other)]
for model in models:
    store.delete_logged_model(model)
store.delete_experiment(mine)
listed = SqlAlchemyStore._get_deleted_logged_models


def overtaken(self: SqlAlchemyStore) -> list[str]:
    """List the models; the other's is removed before anybody looks at it."""
    found = listed(self)
    assert set(found) == set(models)
    self._hard_delete_logged_model(models[1])
    return list(found)


SqlAlchemyStore._get_deleted_logged_models = overtaken
_remove_from_database(URI, {mine})
assert not listed(store)
assert {experiment.name for experiment in store.search_experiments(ViewType.ALL)} == {"Default", "other"}
