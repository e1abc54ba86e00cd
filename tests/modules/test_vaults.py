# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Key vaults and their secrets: what is deleted comes back or goes for good, and no value is ever told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from modules.harness import ModuleError, run_module

if TYPE_CHECKING:
    from pathlib import Path

    from modules.conftest import Azure

VAULT = {"resource_group": "tea", "name": "tea-chest", "location": "westeurope"}
SECRET = {"vault_name": "tea-chest", "name": "recipe"}
VALUE = "two-spoons-of-matcha"


def make(**options: Any) -> dict[str, Any]:
    return run_module("key_vault", **VAULT, **options)


def keep(**options: Any) -> dict[str, Any]:
    return run_module("key_vault_secret", **SECRET, **options)


def entitle(azure: Azure) -> None:
    """Give who signs in the right to the secrets."""
    run_module(
        "role_assignment",
        scope=make()["resource"]["id"],
        role_definition="Key Vault Secrets Officer",
        principal_id=azure.simulator.owner.object_id,
    )


@pytest.fixture
def vault(azure: Azure) -> Azure:
    """Return an Azure with a vault that may be used."""
    run_module("resource_group", name="tea", location="westeurope")
    make()
    entitle(azure)
    keep(state="absent", wait=True)
    return azure


def test_a_deleted_vault_comes_back_with_what_was_in_it(vault: Azure) -> None:
    keep(value=VALUE)
    make(state="absent")
    with pytest.raises(ModuleError, match="recover=true"):
        make(recover=False)
    plan = run_module("key_vault", check_mode=True, **VAULT, sku="premium", tags={"team": "tea"})
    result = make(sku="premium", tags={"team": "tea"})
    assert plan["changed"]
    assert result["changed"]
    assert result["resource"]["properties"]["sku"]["name"] == "premium"
    assert result["resource"]["tags"] == {"team": "tea"}
    assert not make(sku="premium", tags={"team": "tea"})["changed"]
    entitle(vault)
    assert not keep(value=VALUE, wait=True)["changed"]


def test_a_deleted_vault_of_another_group_is_left_alone(vault: Azure) -> None:
    run_module("resource_group", name="coffee", location="westeurope")
    make(state="absent")
    other = {**VAULT, "resource_group": "coffee"}
    with pytest.raises(ModuleError, match="comes back only there"):
        run_module("key_vault", **other)
    vault.forget()
    assert not run_module("key_vault", **other, state="absent", purge=True)["changed"]
    assert vault.writes() == []


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.usefixtures("vault")
def test_a_purged_vault_frees_its_name(deleted: bool) -> None:
    if deleted:
        make(state="absent")
    assert run_module("key_vault", check_mode=True, **VAULT, state="absent", purge=True)["changed"]
    assert make(state="absent", purge=True)["changed"]
    assert not make(state="absent", purge=True)["changed"]
    assert make(recover=False)["changed"]


def test_a_protected_vault_is_not_purged_and_not_deleted_either(vault: Azure) -> None:
    make(enable_purge_protection=True)
    for _active_then_deleted in range(2):
        vault.forget()
        with pytest.raises(ModuleError, match="is protected from being purged"):
            make(state="absent", purge=True)
        assert vault.writes() == []
        make(state="absent")


@pytest.mark.usefixtures("vault")
def test_no_result_holds_a_value(tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_text(f"{VALUE}\n", encoding="utf-8")
    results = [
        run_module("key_vault_secret", check_mode=True, **SECRET, value=VALUE),
        keep(value=VALUE),
        keep(value_file=str(file)),
        keep(value_file=str(file)),
        run_module("key_vault_secret_info", **SECRET),
        run_module("key_vault_secret_info", vault_name="tea-chest"),
    ]
    for result in results:
        result.pop("invocation")
        assert VALUE not in json.dumps(result)
    assert [each["changed"] for each in results] == [True, True, True, False, False, False]
    assert results[1]["diff"]["after"]["value"] == "(new)"
    assert results[2]["diff"] == {"before": {"value": "(old)"}, "after": {"value": "(new)"}}
    assert [len(each["resources"]) for each in results[4:]] == [1, 1]


def test_a_deleted_secret_comes_back_and_keeps_what_the_task_does_not_name(vault: Azure) -> None:
    keep(value=VALUE, content_type="text/recipe", tags={"team": "tea"})
    keep(state="absent")
    vault.simulator.clock.advance(60)
    result = keep(value="three", tags={"cost": "1"})
    assert result["resource"]["contentType"] == "text/recipe"
    assert result["resource"]["tags"] == {"team": "tea", "cost": "1"}
    keep(state="absent")
    vault.simulator.clock.advance(60)
    vault.forget()
    keep(value="three", tags={"cost": "1"})
    # The value is as it was: no version was added.
    assert [each for each in vault.since() if each["method"] == "PUT" and each["status"] == 200] == []


def test_the_value_of_a_disabled_secret_is_left_alone_until_it_is_enabled(vault: Azure) -> None:
    keep(value=VALUE, enabled=False)
    vault.forget()
    assert not keep(value="other", enabled=False)["changed"]
    assert vault.writes() == []
    result = keep(value="other", enabled=True)
    assert set(result["diff"]["after"]) == {"attributes", "value"}
    assert not keep(value="other", enabled=True)["changed"]


@pytest.mark.usefixtures("vault")
def test_a_new_version_keeps_what_the_old_one_had() -> None:
    keep(value=VALUE, content_type="text/recipe", expires_on="2099-01-01T00:00:00Z")
    result = keep(value="three")
    assert result["resource"]["contentType"] == "text/recipe"
    assert result["resource"]["attributes"]["exp"]


@pytest.mark.usefixtures("azure")
def test_a_vault_that_is_not_there() -> None:
    assert run_module("key_vault_secret", check_mode=True, **SECRET, value=VALUE)["changed"]
    assert not keep(state="absent")["changed"]
    with pytest.raises(ModuleError, match="no such vault: make it first") as caught:
        keep(value=VALUE)
    assert caught.value.result["failure"]["code"] == "VaultNotFound"


@pytest.mark.usefixtures("azure")
def test_a_vault_that_has_no_address_either() -> None:
    vault = {"vault_uri": "https://tea-chest.nowhere.example"}
    assert run_module("key_vault_secret", check_mode=True, **vault, name="recipe", value=VALUE)["changed"]


def test_a_missing_right_is_waited_for_only_if_asked(azure: Azure) -> None:
    run_module("resource_group", name="tea", location="westeurope")
    make()
    for options in ({}, {"wait": True, "timeout": 1}):
        with pytest.raises(ModuleError, match="Key Vault Secrets Officer") as caught:
            keep(value=VALUE, **options)
        assert caught.value.result["failure"]["code"] == "ForbiddenByRbac"
    asked = [each for each in azure.log() if each["path"] == "/secrets/recipe" and each["status"] == 403]
    assert len(asked) > 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vault_uri": "https://tea-chest.vault.azure.net"}, "vault_name, or vault_uri"),
        ({"value": VALUE, "value_file": "b"}, "value, or value_file"),
        ({}, "needs a value"),
        ({"value": VALUE, "expires_on": "some day"}, "is no point in time"),
    ],
)
@pytest.mark.usefixtures("vault")
def test_what_a_task_must_not_leave_open(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ModuleError, match=words):
        keep(**options)
