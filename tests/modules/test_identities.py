# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identities, who they are for others, and what they may do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from deployments import wait_until

from modules.conftest import SPEED
from modules.harness import ModuleError, run_module

if TYPE_CHECKING:
    from modules.conftest import Azure

IDENTITY = {"resource_group": "tea", "name": "leaf", "location": "westeurope"}
GROUP_ID = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/tea"
NAME = "11111111-2222-3333-4444-555555555555"


def make(*credentials: dict[str, Any], **options: Any) -> dict[str, Any]:
    return run_module("user_assigned_identity", **IDENTITY, federated_credentials=list(credentials), **options)


def credential(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "issuer": "https://issuer.example", "subject": f"leaf:{name}", **options}


def gone(name: str) -> dict[str, Any]:
    return {"name": name, "state": "absent"}


@pytest.fixture
def group(azure: Azure) -> Azure:
    run_module("resource_group", name="tea", location="westeurope")
    return azure


def test_more_credentials_than_an_identity_can_have_are_refused_before_anything_is_written(group: Azure) -> None:
    with pytest.raises(ModuleError, match="would have 21 federated credentials"):
        make(*(credential(f"many{n}") for n in range(21)))
    make(*(credential(f"many{n}") for n in range(20)))
    group.forget()
    with pytest.raises(ModuleError, match="would have 21 federated credentials"):
        make(credential("more"), tags={"team": "tea"})
    assert group.writes() == []


def test_what_goes_makes_room_and_frees_its_subject(group: Azure) -> None:
    make(*(credential(f"many{n}") for n in range(20)))
    result = make(credential("other", subject="leaf:many7"), gone("many7"))
    assert set(result["diff"]["after"]["federated_credentials"]) == {"other", "many7"}
    assert [each.split()[0] for each in group.writes()][-2:] == ["DELETE", "PUT"]


def test_two_that_write_credentials_of_one_identity_wait_for_each_other(group: Azure) -> None:
    """Each in its own thread, as two tasks would be: the module itself runs one at a time in a process."""
    from ansible_collections.matcha.mlops.plugins.module_utils.azure.arm import Arm
    from ansible_collections.matcha.mlops.plugins.module_utils.azure.auth import Auth
    from ansible_collections.matcha.mlops.plugins.module_utils.azure.converge import converge
    from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.identity import UserAssignedIdentity

    make()
    # A third one writes, until both have been refused.
    identity = group.simulator.store.get(f"{GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/leaf")
    identity["_writing"] = True

    def refused() -> int:
        return sum(each["status"] == 409 for each in group.log())

    def task(side: str) -> bool:
        wanted = [{**credential(f"{side}{n}"), "audiences": None, "state": "present"} for n in range(5)]
        params = {**IDENTITY, "state": "present", "federated_credentials": wanted}
        return converge(UserAssignedIdentity(), Arm(Auth.of({}), 60), params, check_mode=False).changed

    with ThreadPoolExecutor(2) as pool:
        both = pool.map(task, ("left", "right"))
        wait_until(lambda: refused() >= 2, "both were refused", 60)
        with group.simulator.lock:
            del identity["_writing"]
        assert all(both)
    there = group.simulator.store.all("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials")
    assert len(there) == 10


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ([{"name": "one", "issuer": "https://issuer.example"}], "needs subject"),
        ([credential("one"), credential("ONE")], "one more than once"),
    ],
)
def test_credentials_that_make_no_sense(wanted: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ModuleError, match=words):
        make(*wanted)


def test_a_credential_that_is_not_listed_stays(group: Azure) -> None:
    make(credential("one"))
    make(credential("two"))
    group.forget()
    assert not make(credential("one"))["changed"]
    assert len(run_module("user_assigned_identity_info", resource_group="tea", name="leaf")["resources"]) == 1


# Role assignments


def assign(principal: str, **options: Any) -> dict[str, Any]:
    return run_module(
        "role_assignment", **{"scope": GROUP_ID, "role_definition": "AcrPull", "principal_id": principal, **options}
    )


@pytest.fixture
def principal(group: Azure) -> str:
    del group
    return str(make()["resource"]["properties"]["principalId"])


def test_a_new_principal_is_waited_for(group: Azure) -> None:
    # Half a second of ours.
    group.simulator.delays.identity = SPEED / 2
    assert assign(make()["resource"]["properties"]["principalId"])["changed"]
    assert any(each["status"] == 400 for each in group.log())


def test_a_principal_that_is_never_there_is_told_when_the_time_is_up(group: Azure) -> None:
    with pytest.raises(ModuleError, match="does not exist in the directory") as caught:
        assign(NAME, timeout=1)
    assert caught.value.result["failure"]["code"] == "PrincipalNotFound"
    assert len([each for each in group.log() if each["method"] == "PUT" and NAME in str(each["body"])]) > 1


def test_an_assignment_of_another_name_is_the_one_that_is_meant(group: Azure, principal: str) -> None:
    assign(principal, name=NAME)
    group.forget()
    result = assign(principal)
    assert not result["changed"]
    assert result["resource"]["name"] == NAME
    assert group.writes() == []
    assert assign(principal, state="absent")["changed"]
    assert not assign(principal, state="absent")["changed"]


def test_its_name_is_the_same_each_time(group: Azure, principal: str) -> None:
    del group
    first = assign(principal)["resource"]["name"]
    assign(principal, state="absent")
    assert assign(principal)["resource"]["name"] == first
    assert assign(principal, role_definition="Reader")["resource"]["name"] != first


@pytest.mark.usefixtures("group")
def test_one_above_or_below_is_not_the_one_that_is_meant(principal: str) -> None:
    above = GROUP_ID.partition("/resourceGroups")[0]
    assert assign(principal, scope=above)["changed"]
    assert assign(principal, scope=f"{GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/leaf")[
        "changed"
    ]
    assert assign(principal)["changed"]
    assert assign(principal, state="absent")["changed"]
    found = run_module("role_assignment_info", scope=above, principal_id=principal)["resources"]
    assert len(found) == 2


@pytest.mark.usefixtures("group")
def test_a_role_that_nobody_knows(principal: str) -> None:
    with pytest.raises(ModuleError, match="There is no role 'Tea Drinker'"):
        assign(principal, role_definition="Tea Drinker")
    assert not assign(principal, role_definition="Tea Drinker", state="absent")["changed"]


@pytest.mark.usefixtures("azure")
def test_a_plan_for_a_scope_that_is_not_there_yet() -> None:
    assert run_module("role_assignment", check_mode=True, scope=GROUP_ID, role_definition="AcrPull", principal_id=NAME)[
        "changed"
    ]
