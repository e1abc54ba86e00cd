# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state: one document, whole or not at all."""

from __future__ import annotations

import json
import multiprocessing
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils import files
from ansible_collections.matcha.mlops.plugins.module_utils.stack.definition import Stack
from ansible_collections.matcha.mlops.plugins.module_utils.stack.state import (
    FileState,
    StateError,
    decode,
    new_state,
    stack_of,
)

if TYPE_CHECKING:
    from pathlib import Path

STACK = Stack("own", ("dvc", "chroma"))


@pytest.fixture
def store(tmp_path: Path) -> FileState:
    found = FileState(tmp_path / "state.json")
    found.update(lambda _none: new_state("tests", "local", STACK))
    return found


def test_round_trip(store: FileState) -> None:
    state = store.read()
    assert state
    assert stack_of(state) == STACK
    assert state["schema_version"] == 1
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_nothing_there_is_no_state(tmp_path: Path) -> None:
    assert FileState(tmp_path / "state.json").read() is None
    (tmp_path / "file").touch()
    assert FileState(tmp_path / "file" / "state.json").read() is None


def test_the_same_is_not_written_again(store: FileState) -> None:
    before = store.path.stat().st_mtime_ns, store.path.stat().st_ino
    store.update(lambda state: dict(state or {}))
    assert (store.path.stat().st_mtime_ns, store.path.stat().st_ino) == before


def test_a_crash_while_writing_leaves_the_old_one(store: FileState, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store.path.read_text(encoding="utf-8")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StateError, match="No space left"):
        store.update(lambda state: {**(state or {}), "ports": {"dvc": {}}})
    assert store.path.read_text(encoding="utf-8") == before
    assert [path.name for path in store.path.parent.iterdir()] == ["state.json"]


def _record(path: Path, number: int) -> None:
    def change(state: dict[str, Any] | None) -> dict[str, Any]:
        assert state
        state["components"][f"part{number}"] = {"version": "1"}
        return state

    FileState(path).update(change)


def test_roles_that_record_side_by_side_lose_nothing(store: FileState) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_record, args=(store.path, number)) for number in range(12)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    state = store.read()
    assert state
    assert set(state["components"]) == {f"part{number}" for number in range(12)}


def test_a_newer_one_is_not_touched() -> None:
    with pytest.raises(StateError, match=r"newer version of matcha\.mlops"):
        decode(json.dumps({"schema_version": 2}), "here")


@pytest.mark.parametrize("key", ["matcha_uuid", "prefix", "target", "created", "stack", "ports", "components"])
def test_a_missing_part_is_damage(key: str) -> None:
    state = new_state("tests", "local", STACK)
    del state[key]
    with pytest.raises(StateError, match=f"damaged .'{key}' is missing"):
        decode(json.dumps(state), "here")


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '"text"', "{}", '{"schema_version": "1"}', "\0"])
def test_damage(text: str) -> None:
    with pytest.raises(StateError, match="is damaged"):
        decode(text, "here")
