# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Use Chroma as a client does: add vectors, ask for the nearest.

Needs CHROMA_URL; with CHROMA_DATA, the server's folder, what it made is also removed from there.
"""

import contextlib
import os
import shutil
import sqlite3
import sys
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "client" / "files"))
sys.dont_write_bytecode = True  # beside the roles; verification.py allows it again

from verification import Verification  # noqa: E402


def index_folders(collection: str) -> "list[Path]":
    """Return the folders of a collection's indexes: Chroma leaves them behind."""
    data = Path(os.environ.get("CHROMA_DATA") or "/nonexistent")
    if not (data / "chroma.sqlite3").is_file():
        return []
    with contextlib.closing(sqlite3.connect(f"{(data / 'chroma.sqlite3').as_uri()}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT id FROM segments WHERE collection = ?", [collection]).fetchall()
    return [data / row[0] for row in rows if (data / row[0]).is_dir()]


def body(verification: Verification) -> None:
    """Run the steps."""
    url = urlsplit(verification.reach("CHROMA_URL"))
    with verification.step("load the client"):
        import chromadb
        from chromadb.config import Settings

        client = chromadb.HttpClient(
            host=url.hostname or "",
            port=url.port or (443 if url.scheme == "https" else 80),
            ssl=url.scheme == "https",
            settings=Settings(anonymized_telemetry=False),
        )

    def remove() -> None:
        for collection in client.list_collections():
            if collection.name.startswith(verification.prefix):
                indexes = index_folders(str(collection.id))
                client.delete_collection(collection.name)
                for folder in indexes:
                    shutil.rmtree(folder)

    verification.finally_do(remove)
    with verification.step("add vectors"):
        # Vectors of our own: Chroma would fetch a model from the internet to make them.
        collection = client.create_collection(verification.name, embedding_function=None)
        collection.add(
            ids=["sencha", "matcha", "oolong"],
            embeddings=[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            documents=["a leaf", "a powder", "a half-fermented leaf"],
            metadatas=[{"green": True}, {"green": True}, {"green": False}],
        )
    with verification.step("find the nearest vector"):
        found = collection.query(query_embeddings=[[0.1, 0.9, 0.2]], n_results=2)
        verification.expect(found["ids"][0], ["matcha", "oolong"], "The nearest vectors")
        verification.expect((found["documents"] or [[]])[0][0], "a powder", "The document")
    with verification.step("filter by metadata"):
        found = collection.query(query_embeddings=[[0.0, 0.0, 1.0]], n_results=1, where={"green": True})
        verification.expect(found["ids"][0][0] in {"sencha", "matcha"}, True, "The answer's kind")


if __name__ == "__main__":
    Verification("chroma").run(body)
