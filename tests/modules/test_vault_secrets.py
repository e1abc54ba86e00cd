# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated secrets: the vault is their record, a file is a copy, and a rotation survives whatever happens to it."""

from __future__ import annotations

import json
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure import secrets
from modules.harness import ModuleError, run_module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modules.conftest import Azure

VAULT = "kv-tea"
PLACE = {"resource_group": "tea", "name": VAULT, "location": "westeurope"}


class Keeper:
    """A machine with a folder for a run's copies."""

    def __init__(self, azure: Azure, folder: Path) -> None:
        self.azure, self.folder = azure, folder

    def run(self, *names: str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Run the module; nothing that it says may be a secret."""
        result = run_module(
            "vault_secrets", check_mode=check_mode, vault_name=VAULT, names=list(names), deployment=str(self.folder),
            **options,
        )  # fmt: skip
        for value in self.copies.values():
            assert value not in json.dumps(result)
        return result

    @property
    def copies(self) -> dict[str, str]:
        """The copies by their names."""
        found = self.folder / "secrets"
        return {path.name: path.read_text(encoding="utf-8") for path in found.iterdir()} if found.is_dir() else {}

    def recorded(self, name: str) -> dict[str, Any]:
        """Return a secret as the vault has it."""
        (found,) = run_module("key_vault_secret_info", vault_name=VAULT, name=name)["resources"] or ({},)
        return dict(found)

    def set(self, name: str, value: str) -> None:
        """Somebody sets a secret by hand."""
        run_module("key_vault_secret", vault_name=VAULT, name=name, value=value)


@pytest.fixture
def empty(azure: Azure, tmp_path: Path) -> Keeper:
    """Return a machine, before there is a vault."""
    run_module("resource_group", name="tea", location="westeurope")
    azure.forget()
    return Keeper(azure, tmp_path / "tea")


@pytest.fixture
def keeper(empty: Keeper) -> Keeper:
    """Return a machine, and a vault to which the right has just been granted."""
    made = run_module("key_vault", **PLACE)
    run_module(
        "role_assignment",
        scope=made["resource"]["id"],
        role_definition="Key Vault Secrets Officer",
        principal_id=empty.azure.simulator.owner.object_id,
    )
    return empty


def test_secrets_are_made_once_and_copied(keeper: Keeper) -> None:
    # The grant takes minutes of Azure's time, which is waited for.
    first = keeper.run("word", "key")
    copies = keeper.copies
    assert first["changed"]
    assert set(copies) == {"word", "key"}
    assert all(len(value) >= 43 and value.strip() == value for value in copies.values())
    assert copies["word"] != copies["key"]
    for path in (keeper.folder / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((keeper.folder / "secrets").stat().st_mode) == 0o700
    assert first["versions"]["word"] == keeper.recorded("word")["id"].rpartition("/")[2]
    keeper.azure.forget()
    # On another machine, or after the copies were removed.
    other = Keeper(keeper.azure, keeper.folder.with_name("other"))
    again = other.run("word", "key")
    assert not again["changed"]
    assert again["versions"] == first["versions"]
    assert other.copies == copies
    assert keeper.azure.writes() == []
    # One list, and one look at each.
    assert [each["path"].partition("/")[2].partition("/")[0] for each in keeper.azure.since()] == ["secrets"] * 3


def test_where_a_copy_differs_the_vault_is_right(keeper: Keeper) -> None:
    keeper.run("word")
    keeper.set("word", "another-value")
    assert not keeper.run("word")["changed"]
    assert keeper.copies == {"word": "another-value"}
    path = keeper.folder / "secrets" / "word"
    path.chmod(0o644)
    keeper.run("word")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_copy_from_before_the_vault_could_be_asked_is_its_value(keeper: Keeper) -> None:
    (keeper.folder / "secrets").mkdir(parents=True, mode=0o700)
    (keeper.folder / "secrets" / "word").write_text("early\n", encoding="utf-8")
    assert keeper.run("word")["changed"]
    assert keeper.copies == {"word": "early"}
    assert keeper.recorded("word")


def test_a_deleted_secret_comes_back_with_its_value(keeper: Keeper) -> None:
    keeper.run("word")
    value = keeper.copies["word"]
    run_module("key_vault_secret", vault_name=VAULT, name="word", state="absent")
    # Where there is no copy.
    other = Keeper(keeper.azure, keeper.folder.with_name("other"))
    assert other.run("word")["changed"]
    assert other.copies == {"word": value}


def test_a_disabled_secret_is_not_replaced(keeper: Keeper) -> None:
    keeper.run("word")
    run_module("key_vault_secret", vault_name=VAULT, name="word", enabled=False)
    with pytest.raises(ModuleError, match="The secret 'word' of the vault 'kv-tea' is disabled: enable it"):
        keeper.run("word")


@pytest.mark.parametrize("there", [False, True])
def test_check_mode_is_a_plan(empty: Keeper, there: bool) -> None:
    if there:
        # Nobody has a right to it yet.
        run_module("key_vault", **PLACE)
        empty.azure.forget()
    plan = empty.run("word", check_mode=True)
    assert plan["changed"]
    assert plan["diff"] == {"before": {"word": "absent"}, "after": {"word": "in the vault"}}
    assert plan["pending"] == []
    assert plan["versions"] == {"word": ""}
    assert empty.azure.writes() == []
    assert not empty.folder.exists()


def test_check_mode_of_a_rotation(keeper: Keeper) -> None:
    first = keeper.run("word")
    keeper.azure.forget()
    other = Keeper(keeper.azure, keeper.folder.with_name("other"))
    plan = other.run("word", rotate=["word"], check_mode=True)
    assert (plan["changed"], plan["pending"], plan["versions"]) == (True, ["word"], first["versions"])
    assert not other.run("word", check_mode=True)["changed"]
    assert keeper.azure.writes() == []
    assert not other.folder.exists()


def test_the_plan_of_a_deployment_has_its_own_copies(keeper: Keeper) -> None:
    keeper.run("word")
    keeper.azure.forget()
    plan = Keeper(keeper.azure, keeper.folder.with_name("plan"))
    assert not plan.run("word", check_mode=True, run="token")["changed"]
    assert plan.copies == keeper.copies
    assert plan.run("word", "new", check_mode=True, run="token")["changed"]
    assert set(plan.copies) == {"word"}
    assert keeper.azure.writes() == []


def test_a_new_secret_needs_no_other_value(keeper: Keeper) -> None:
    assert keeper.run("word", rotate=["word"])["pending"] == []


def test_a_rotation_and_the_next_one(keeper: Keeper) -> None:
    keeper.run("word", "key")
    values = [keeper.copies["word"]]
    for _time in range(2):
        begun = keeper.run("word", "key", rotate=["word"])
        assert (begun["changed"], begun["pending"]) == (True, ["word"])
        assert keeper.copies["word"] == values[-1]
        # Interrupted, it goes on with the same value, whether or not it is asked for again, on whatever machine.
        new = keeper.copies["word.new"]
        assert new not in values
        for rotate in ([], ["word"]):
            other = Keeper(keeper.azure, keeper.folder.with_name(f"other-{len(values)}"))
            assert (other.run("word", rotate=rotate)["pending"], other.copies["word.new"]) == (["word"], new)
        ended = keeper.run("word", state="promoted")
        assert ended["changed"]
        assert ended["ansible_facts"] == {"matcha_rotated": True}
        assert keeper.copies["word"] == new
        assert "word.new" not in keeper.copies
        after = keeper.run("word", "key")
        assert (after["changed"], after["pending"]) == (False, [])
        assert after["versions"]["word"] == ended["versions"]["word"] != begun["versions"]["word"]
        assert not keeper.run("word", state="promoted")["changed"]
        values.append(new)
    assert keeper.recorded("word-new")["attributes"]["enabled"] is False


@contextmanager
def dying(step: str) -> Iterator[None]:
    """Let the module die right before a step."""

    def die(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets.Vault, step, die)
        yield


def test_a_rotation_that_dies_before_it_began_has_done_nothing(keeper: Keeper) -> None:
    keeper.run("word")
    before = keeper.copies
    with dying("replace"), pytest.raises(KeyboardInterrupt):
        keeper.run("word", rotate=["word"])
    after = keeper.run("word")
    assert (after["changed"], after["pending"], keeper.copies) == (False, [], before)


@pytest.mark.parametrize("step", ["replace", "disable"])
def test_a_rotation_that_dies_at_its_end_comes_to_it(keeper: Keeper, step: str) -> None:
    keeper.run("word")
    keeper.run("word", rotate=["word"])
    old, new = keeper.copies["word"], keeper.copies["word.new"]
    with dying(step), pytest.raises(KeyboardInterrupt):
        keeper.run("word", state="promoted")
    # The next run has no copies.
    other = Keeper(keeper.azure, keeper.folder.with_name("other"))
    again = other.run("word")
    assert not again["changed"]
    if step == "replace":
        # The component has the new value already, perhaps: it is handed on again.
        assert (again["pending"], other.copies) == (["word"], {"word": old, "word.new": new})
        other.run("word", state="promoted")
    assert other.run("word")["pending"] == []
    assert other.copies == {"word": new}
    assert keeper.recorded("word-new")["attributes"]["enabled"] is False


def test_a_missing_right_is_told_where_it_is_not_waited_for(empty: Keeper) -> None:
    run_module("key_vault", **PLACE)
    with pytest.raises(ModuleError, match="Key Vault Secrets Officer"):
        empty.run("word", wait=False)
    with pytest.raises(ModuleError, match="Key Vault Secrets Officer"):
        empty.run("word", timeout=1)


def test_without_a_run_there_is_no_place_for_copies(keeper: Keeper) -> None:
    with pytest.raises(ModuleError, match="run the role matcha"):
        run_module("vault_secrets", vault_name=VAULT, names=["word"])
    with pytest.raises(ModuleError, match="set vault_name, or vault_uri"):
        run_module("vault_secrets", names=["word"], deployment=str(keeper.folder))


def test_a_run_that_lost_its_lock_makes_nothing(keeper: Keeper) -> None:
    keeper.azure.forget()
    with pytest.raises(ModuleError, match="is no deployment's folder any more"):
        keeper.run("word", run="a-run-that-is-over")
    assert keeper.azure.writes() == []
