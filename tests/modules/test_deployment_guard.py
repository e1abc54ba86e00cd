# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a deployment on Azure as it is, whatever part of its record is lost, and how it is forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from modules.deploying import ACCOUNT, BOX, GROUP, REMOTE, Site
from modules.harness import run_module
from modules.test_deployment import ACCOUNT_PATH, GROUP_PATH, arm_writes, deployed, site, tags

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["deployed", "site"]

GROUP_OPTIONS = {"name": GROUP, "location": "westeurope"}


def lose_state(site: Site) -> None:
    site.blob().client.delete_blob()


def lose_account(site: Site) -> None:
    del site
    run_module("storage_account", resource_group=GROUP, name=ACCOUNT, state="absent")


def lose_tags(site: Site) -> None:
    del site
    run_module("resource_group", **GROUP_OPTIONS, tags={}, append_tags=False)


def forget(site: Site, *steps: dict[str, Any]) -> None:
    """Begin as a destroy does, and go some way."""
    begun = site.begin(missing="ignore")
    assert not begun.get("failed"), begun
    for each in steps:
        result = site.act("stack_forget", begun["ansible_facts"], **each)
        assert not result.get("failed"), result
    site.act("stack_end", begun["ansible_facts"])


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("lose", [None, lose_state, lose_account, lose_tags])
def test_another_stack_is_refused_before_anything_is_touched(
    deployed: Site, lose: Callable[[Site], None] | None, check_mode: bool
) -> None:
    if lose:
        lose(deployed)
    deployed.azure.forget()
    assert deployed.begin(stack="small", check_mode=check_mode)["msg"] == (
        "The deployment 'tea' has the stack 'tiny' (dvc), and a stack cannot be changed while its deployment exists; "
        "asked for was 'small' (dvc, chroma). Leave matcha_stack unset to go on with it, destroy the deployment first "
        "(destroy.yml), or choose another matcha_prefix."
    )
    assert deployed.azure.writes() == []
    assert not deployed.path.exists()
    # One request tells it where the state is lost.
    assert len([each for each in deployed.azure.since() if each["path"].endswith(GROUP_PATH)]) == 1


@pytest.mark.parametrize("lose", [lose_state, lose_account, lose_tags])
def test_what_is_lost_is_made_anew(deployed: Site, lose: Callable[[Site], None]) -> None:
    state, marks = deployed.state, tags(deployed, GROUP_PATH)
    lose(deployed)
    planned = deployed.begin(check_mode=True)["ansible_facts"]["matcha_deployment"]
    assert planned["matcha_uuid"] == state["matcha_uuid"]
    facts = deployed.deploy()
    assert facts["exists"]
    assert {**deployed.state, "created": ""} == {**state, "created": ""}
    assert tags(deployed, GROUP_PATH) == tags(deployed, ACCOUNT_PATH) == marks


def test_a_lost_state_of_a_stack_that_is_not_defined_any_more(deployed: Site) -> None:
    lose_state(deployed)
    said = deployed.begin(stacks={"default": ["dvc"]})["msg"]
    assert said.startswith("matcha_stack is 'tiny', and there is no such stack")
    said = deployed.begin(stacks={"default": ["dvc"]}, stack="default")["msg"]
    assert said.startswith("The deployment 'tea' has the stack 'tiny', and a stack cannot be changed")


def test_outputs_need_no_more_than_the_tags(deployed: Site) -> None:
    uuid = deployed.state["matcha_uuid"]
    lose_state(deployed)
    place = {"target": "azure", "prefix": "tea", "home": str(deployed.folder / "home")}
    assert deployed.act("stack_outputs", **place, quiet=True)["outputs"] == {
        "cloud": {"flavor": "azure", "location": "westeurope", "prefix": "tea", "resource-group-name": GROUP},
        "id": {"matcha_uuid": uuid},
    }
    assert deployed.azure.writes() == ["DELETE /teastatestore/state.json"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"location": ""}, "matcha_location is not set: name the Azure region"),
        ({"stack": "tinny"}, "did you mean 'tiny'?"),
        ({"prefix": "Tea"}, "matcha_prefix is 'Tea'"),
        ({"target": "azur"}, "matcha_target is 'azur': did you mean 'azure'?"),
        ({"missing": "fail"}, "There is no deployment 'tea' in the subscription"),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_bad_input_leaves_no_trace(site: Site, options: dict[str, Any], said: str, check_mode: bool) -> None:
    assert said in site.begin(check_mode=check_mode, **{"stack": "tiny", **options})["msg"]
    assert site.azure.writes() == []
    assert not (site.folder / "home").exists()


def test_another_location_is_refused(deployed: Site) -> None:
    said = "The resource group 'tea-resources' is in 'westeurope', and asked for was 'northeurope'"
    assert deployed.begin(location="northeurope")["msg"].startswith(said)
    assert not deployed.deploy(location="West Europe")["changed"]
    assert arm_writes(deployed) == []


def test_somebody_elses_group_is_left_alone(site: Site) -> None:
    run_module("resource_group", **GROUP_OPTIONS, tags={"team": "coffee"})
    run_module("user_assigned_identity", resource_group=GROUP, name="barista", location="westeurope")
    site.azure.forget()
    said = "The resource group 'tea-resources' has no tag matcha-prefix, so it is somebody else's, and it holds barista"
    for check_mode in (False, True):
        assert site.begin(check_mode=check_mode)["msg"].startswith(said)
    assert site.azure.writes() == []
    assert not site.deploy(stack="tiny", adopt="true")["resource_group_created"]
    assert tags(site, GROUP_PATH)["team"] == "coffee"
    # It is remembered, and a destroy leaves the group.
    assert not site.deploy()["changed"]
    forget(site, {"state": "begun"}, {"state": "absent", "resource_group": True})
    assert tags(site, GROUP_PATH) == {"team": "coffee"}
    assert not site.document(ACCOUNT_PATH)
    assert site.begin()["msg"].startswith(said)


def test_an_empty_group_of_somebody_elses_is_used_and_left(site: Site) -> None:
    run_module("resource_group", **{**GROUP_OPTIONS, "location": "northeurope"})
    facts = site.deploy(stack="tiny", location="")
    assert (facts["location"], facts["resource_group_created"]) == ("northeurope", False)


def test_a_destroy_that_was_interrupted_lets_only_a_destroy_begin(deployed: Site) -> None:
    forget(deployed, {"state": "begun"})
    said = deployed.begin()["msg"]
    assert said.startswith("A destroy of the deployment 'tea' was interrupted, and a part of it is gone")
    last = {"state": "absent", "resource_group": True}
    forget(deployed, {"state": "begun"}, last)
    assert deployed.document(GROUP_PATH) is None
    assert not deployed.path.exists()
    # Where nothing is, a destroy makes nothing.
    deployed.azure.forget()
    forget(deployed, {"state": "begun"}, last)
    assert deployed.azure.writes() == []


def test_a_group_that_holds_somebody_elses_is_left_without_a_deployment(deployed: Site) -> None:
    uuid = deployed.state["matcha_uuid"]
    last = {"state": "absent", "resource_group": False}
    forget(deployed, {"state": "begun"}, last)
    # It is still ours.
    assert tags(deployed, GROUP_PATH) == {"matcha-prefix": "tea"}
    assert not deployed.document(ACCOUNT_PATH)
    deployed.azure.forget()
    forget(deployed, {"state": "begun"}, last)
    assert deployed.azure.writes() == []
    facts = deployed.deploy(stack="small")
    assert facts["resource_group_created"]
    assert deployed.state["matcha_uuid"] != uuid


def test_what_a_plan_looks_things_up_with_goes_with_it(deployed: Site) -> None:
    begun = deployed.begin(check_mode=True)["ansible_facts"]
    # The same for each of its roles.
    assert deployed.begin(check_mode=True)["ansible_facts"] == begun
    folder = Path(begun["matcha_deployment"]["path"])
    assert folder.parent == deployed.path.parent
    (folder / "secrets").mkdir()
    (folder / "secrets" / "word").write_text("x", encoding="utf-8")
    (folder / "kubeconfig").write_text("x", encoding="utf-8")
    # A run is not in its way.
    assert not deployed.deploy()["changed"]
    deployed.act("stack_end", begun, check_mode=True)
    assert not folder.exists()


def test_a_destroy_without_the_account_of_the_state_knows_what_it_made_for_itself(deployed: Site) -> None:
    marks = tags(deployed, GROUP_PATH)
    lose_account(deployed)
    forget(deployed, {"state": "begun"})
    assert tags(deployed, ACCOUNT_PATH) == marks


def test_a_destroy_that_keeps_data_keeps_the_deployments_identity(deployed: Site) -> None:
    begun = deployed.begin()["ansible_facts"]
    volume = {"component": "dvc", "version": "3.0", "configuration": {"volume": "v"}, "resources": [BOX, "x"]}
    deployed.act("stack_record", begun, **volume)
    deployed.act("stack_end", begun)
    before = deployed.state
    forget(deployed, {"state": "begun"}, {"state": "kept", "resources": [BOX]})
    kept = {"version": "3.0", "configuration": {"volume": "v"}, "kept": True}
    assert deployed.state == {**before, "components": {"dvc": kept}, "resources": [BOX]}
    facts = deployed.deploy()
    assert facts["changed"]
    assert (facts["versions"], facts["recorded"]) == ({"dvc": "3.0"}, {"dvc": {"volume": "v"}})
    assert deployed.state["components"] == {"dvc": {"version": "3.0", "outputs": REMOTE}}


def test_a_second_operator_is_given_the_right_to_the_state(deployed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = deployed.azure.simulator
    other = simulator.principals.add_service_principal("other", "Sesame-credential-4713")
    simulator.access.grant(other, "Owner", f"/subscriptions/{simulator.subscription}")
    monkeypatch.setenv("AZURE_CLIENT_ID", other.app_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", other.secret)
    place = {"target": "azure", "prefix": "tea", "home": str(deployed.folder / "home")}
    # Who only reads is given nothing.
    assert "Storage Blob Data" in deployed.act("stack_outputs", **place, quiet=True)["msg"]
    assert deployed.azure.writes() == []
    assert not deployed.deploy()["changed"]
    assert len([each for each in deployed.azure.writes() if "roleAssignments" in each]) == 1
