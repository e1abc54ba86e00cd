# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a deployment is, by its target; what is recorded of one on Azure, and what is left of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.matcha.mlops.plugins.action import stack_forget, stack_record
from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from ansible_collections.matcha.mlops.plugins.module_utils.stack import lease
from ansible_collections.matcha.mlops.plugins.module_utils.stack.definition import Stack
from ansible_collections.matcha.mlops.plugins.module_utils.stack.state import decode, new_state
from ansible_collections.matcha.mlops.plugins.plugin_utils import azure_status
from ansible_collections.matcha.mlops.plugins.plugin_utils.azure_place import AzurePlace
from ansible_collections.matcha.mlops.plugins.plugin_utils.local_place import LocalPlace
from ansible_collections.matcha.mlops.plugins.plugin_utils.place import place_in, place_of

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


def test_a_target_is_a_class() -> None:
    for target, kind in (("", AzurePlace), ("azure", AzurePlace), ("local", LocalPlace)):
        assert type(place_of({"target": target, "home": "/srv"})) is kind
    with pytest.raises(MatchaError, match="matcha_target is 'locla': did you mean 'local'"):
        place_of({"target": "locla"})


def test_two_targets_never_share_a_folder() -> None:
    here = place_of({"target": "local", "prefix": "azure", "home": "/srv"}).path
    there = place_of({"target": "azure", "prefix": "azure", "home": "/srv", "subscription_id": SUBSCRIPTION}).path
    assert here == Path("/srv/azure")
    assert there == Path(f"/srv/on-azure/{SUBSCRIPTION}/azure")
    # No prefix is called so.
    with pytest.raises(MatchaError, match="matcha_prefix is 'on-azure'"):
        place_of({"target": "local", "prefix": "on-azure", "home": "/srv"})


def test_a_run_finds_its_place_again() -> None:
    first = place_of({"target": "azure", "prefix": "tea", "home": "/srv", "subscription_id": SUBSCRIPTION})
    fact = {"target": "azure", "prefix": "tea", "home": str(first.home), "subscription_id": SUBSCRIPTION}
    # Whatever the task itself says.
    assert place_in(fact, {"subscription_id": "another"}).path == first.path


def test_a_home_is_a_path_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    options = {"target": "azure", "prefix": "tea", "home": "~/x", "subscription_id": SUBSCRIPTION}
    assert place_of(options).path == tmp_path / "x" / "on-azure" / SUBSCRIPTION / "tea"


def state(**more: Any) -> dict[str, Any]:
    """Return the state of a deployment on Azure."""
    return {**new_state("tea", "azure", Stack("own", ("zenml", "chroma"))), "resources": [], **more}


def test_an_inventory_grows_and_keeps_no_case() -> None:
    grown = stack_record.added(state(resources=["/s/A", "/s/b"]), ["/S/a", "/s/c"])
    assert grown == {"resources": ["/s/A", "/s/b", "/s/c"]}
    assert stack_record.added(state(resources=["/s/A"]), []) == {}


def test_of_kept_data_only_what_tells_of_it_stays() -> None:
    parts = {
        "zenml": {"version": "1", "outputs": {"pipeline": {}}},
        "chroma": {"version": "2", "configuration": {"volume": "v"}, "health_url": "x"},
        "platform": {"outputs": {}},
    }
    before = stack_forget.begun(state(components=parts, resources=["/s/b", "/s/a"]))
    options = {"components": ["version", "configuration"], "resources": ["/s/b", "/s/A"]}
    after = stack_forget.kept(before, options)
    assert "destroying" not in after
    assert after["components"] == {
        "zenml": {"version": "1", "kept": True},
        "chroma": {"version": "2", "configuration": {"volume": "v"}, "kept": True},
    }
    assert after["resources"] == ["/s/A", "/s/b"]
    assert decode(json.dumps(after), "here") == after
    found = azure_status.inspect(after, [])
    assert {name: part["recorded"] for name, part in found.items()} == {"zenml": False, "chroma": False}


def test_a_run_that_ends_leaves_no_secret(tmp_path: Path) -> None:
    (tmp_path / lease.SECRETS).mkdir()
    for name in ("secrets/word", "run.json", "kubeconfig"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    lease.tidy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kubeconfig"]
    lease.tidy(tmp_path / "gone")
