# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start MLServer with the models of a folder: ``serve.py SETTINGS.json MODELS``.

``mlserver start`` stops the whole server if one model cannot be loaded. Here such a model is
logged and left out; the others are served, and it can be loaded over the repository API later.
"""

import asyncio
import sys
from pathlib import Path

from mlserver import MLServer, Settings
from mlserver.logging import logger
from mlserver.repository.factory import ModelRepositoryFactory


async def load_models(server: MLServer, settings: Settings) -> None:
    """Load every model of the repository, each on its own."""
    repository = ModelRepositoryFactory.resolve_model_repository(settings)
    for model in await repository.list():
        try:
            await server._model_registry.load(model)
        except Exception:  # noqa: BLE001 (whatever a model may raise)
            logger.exception(f"The model '{model.name}' is left out: it cannot be loaded.")
        # Loading blocks: let the server answer in between.
        await asyncio.sleep(0)


async def serve(settings_file: str, models: str) -> None:
    """Serve until a signal comes."""
    settings = Settings.model_validate_json(Path(settings_file).read_text(encoding="utf-8"))
    settings.model_repository_root = models
    server = MLServer(settings)
    await asyncio.gather(server.start(), load_models(server, settings))


if __name__ == "__main__":
    # A model's own code may lie beside it, as under `mlserver start`.
    sys.path.insert(0, sys.argv[2])
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
