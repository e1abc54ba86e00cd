# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state: one document, whole or not at all."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
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


def _killed_while_writing(store: FileState, step: str) -> None:
    setattr(files.os, step, lambda *_arguments: os.kill(os.getpid(), signal.SIGKILL))
    store.update(lambda state: {**(state or {}), "ports": {"dvc": {}}})


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_run_that_is_killed_while_writing_leaves_the_old_one(store: FileState, step: str) -> None:
    before = store.path.read_bytes()
    writer = multiprocessing.get_context("fork").Process(target=_killed_while_writing, args=(store, step))
    writer.start()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    assert store.path.read_bytes() == before
    # Nor is the next one kept from writing.
    assert store.update(lambda state: {**(state or {}), "ports": {"dvc": {}}}) == store.read()


def _write_again_and_again(store: FileState) -> None:
    for number in range(20):
        store.update(lambda state, number=number: {**(state or {}), "text": [number] * 20000})


def test_a_reader_never_sees_half(store: FileState) -> None:
    writer = multiprocessing.get_context("fork").Process(target=_write_again_and_again, args=(store,))
    writer.start()
    seen = 0
    while writer.is_alive():
        # Damage would be an error.
        state = store.read()
        assert state
        assert len(set(state.get("text", []))) <= 1
        seen += 1
    writer.join()
    assert writer.exitcode == 0
    assert seen > 1


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


@pytest.mark.parametrize(
    "change",
    [
        {"matcha_uuid": 1},
        {"prefix": None},
        {"stack": []},
        {"stack": {"name": "own"}},
        {"stack": {"name": 1, "components": []}},
        {"stack": {"name": "own", "components": "dvc"}},
        {"stack": {"name": "own", "components": [1]}},
        {"ports": []},
        {"ports": {"dvc": 20000}},
        {"components": None},
        {"components": {"dvc": None}},
    ],
)
def test_another_type_is_damage(change: dict[str, Any]) -> None:
    state = new_state("tests", "local", STACK)
    assert decode(json.dumps(state), "here") == state
    with pytest.raises(StateError, match="The state here is damaged"):
        decode(json.dumps({**state, **change}), "here")


def test_what_is_no_text_is_named(store: FileState) -> None:
    store.path.write_bytes(b"\xff")
    with pytest.raises(StateError, match=f"The state {store.path} cannot be read"):
        store.read()


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '"text"', "{}", '{"schema_version": "1"}', "\0"])
def test_damage(text: str) -> None:
    with pytest.raises(StateError, match="is damaged"):
        decode(text, "here")
