# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of options: what it makes of a task, what it compares, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure.options import (
    Item,
    Option,
    apply,
    argument_spec,
    below,
    camel,
    differences,
    dig,
    document,
    leaves,
    params_of,
    same_exactly,
    same_location,
)

NAN = float("nan")
POOL = {
    "name": Option(required=True),
    "vm_size": Option(immutable="Make another."),
    "count": Option("int"),
    "node_taints": Option("list"),
    "upgrade_settings": Option("dict", options={"max_surge": Option()}),
}
RULE = {"cidr": Option(azure="value"), "action": Option()}
OPTIONS = {
    "resource_group": Option(azure="-", required=True),
    "location": Option(same=same_location),
    "tags": Option("dict", same=same_exactly),
    "tier": Option(azure="sku.tier", choices=("Free", "Standard")),
    "disable_local_accounts": Option("bool", azure="properties.disableLocalAccounts"),
    "ranges": Option("list", azure="properties.authorizedIPRanges"),
    "secret": Option(azure="properties.secret", no_log=True, compare=False),
    "rules": Option("list", azure="properties.rules", options=RULE),
    "pools": Option("list", azure="properties.agentPoolProfiles", key="name", options=POOL),
}
FOUND: dict[str, Any] = {
    "location": "westeurope",
    "tags": {"Team": "Tea"},
    "sku": {"name": "Base", "tier": "Free"},
    "properties": {
        "authorizedIPRanges": ["192.0.2.0/24", "198.51.100.0/24"],
        "rules": [{"value": "a", "action": "Allow"}, {"value": "b", "action": "Deny", "extra": 1}],
        "agentPoolProfiles": [
            {"name": "system", "vmSize": "Standard_DS3_v2", "count": 1, "upgradeSettings": {"maxSurge": "10%"}},
            {"name": "elsewhere", "vmSize": "Standard_B2s", "count": 7},
        ],
        "provisioningState": "Succeeded",
    },
}


def changed(found: Any = FOUND, **params: Any) -> list[tuple[str, Any, Any]]:
    """Return what is to be changed: its option, and what it is before and after."""
    return [(each.name, each.before, each.after) for each in differences(OPTIONS, params, found)]


@pytest.mark.parametrize(
    ("name", "azure"),
    [("name", "name"), ("kubernetes_version", "kubernetesVersion"), ("os_disk_size_gb", "osDiskSizeGb")],
)
def test_the_spelling_of_a_property(name: str, azure: str) -> None:
    assert camel(name) == azure


@pytest.mark.parametrize(
    ("params", "differs"),
    [
        ({"tier": "free"}, False),
        ({"tier": "Standard"}, True),
        ({"location": "West Europe"}, False),
        ({"location": "North Europe"}, True),
        # Azure keeps tags as they were written.
        ({"tags": {"Team": "Tea"}}, False),
        ({"tags": {"Team": "tea"}}, True),
        ({"tags": {"team": "Tea"}}, True),
        ({"tags": {}}, True),
        ({"ranges": ["198.51.100.0/24", "192.0.2.0/24"]}, False),
        ({"ranges": ["192.0.2.0/24"]}, True),
        ({"ranges": ["192.0.2.0/24", "192.0.2.0/24", "198.51.100.0/24"]}, True),
        ({"ranges": []}, True),
        # What Azure does not tell is off.
        ({"disable_local_accounts": False}, False),
        ({"disable_local_accounts": True}, True),
        # An option that a task does not name, or that a survey left empty.
        ({}, False),
        ({"tier": None, "location": ""}, False),
        # It is no property of the resource.
        ({"resource_group": "other"}, False),
    ],
)
def test_what_is_compared_how(params: dict[str, Any], differs: bool) -> None:
    assert bool(changed(**params)) is differs


@pytest.mark.parametrize(
    ("option", "wanted", "same"),
    [
        (Option("bool"), False, True),
        (Option("bool"), True, False),
        # Here it is on that Azure leaves out.
        (Option("bool", absent=(True,)), True, True),
        (Option("bool", absent=(True,)), False, False),
        (Option("list"), [], True),
        (Option("dict"), {}, True),
        (Option("int"), 0, True),
        (Option("int"), 3, False),
        (Option("float"), NAN, True),
        (Option("float"), -1.0, False),
        (Option("float", absent=(-1.0,)), -1.0, True),
        (Option(absent=("Regular",)), "Regular", True),
        (Option(absent=("Regular",)), "Spot", False),
        (Option(), "", False),
    ],
)
def test_what_is_asked_for_of_what_azure_leaves_out(option: Option, wanted: Any, same: bool) -> None:
    assert option.is_same(wanted, None) is same


def test_a_value_that_azure_never_gives_back() -> None:
    assert changed({"properties": {}}, secret="sesame") == [("secret", None, "sesame")]
    assert changed({"properties": {"secret": "********"}}, secret="sesame") == []


def test_an_element_with_a_key_is_found_and_others_stay() -> None:
    assert changed(pools=[{"name": "SYSTEM", "count": 1, "vm_size": "standard_ds3_V2"}]) == []
    found = differences(OPTIONS, {"pools": [{"name": "system", "count": 3}, {"name": "new", "count": 0}]}, FOUND)
    where = ("properties", "agentPoolProfiles")
    assert [(each.path, each.name) for each in found] == [
        ((*where, Item("name", "system"), "count"), "pools[system].count"),
        ((*where, Item("name", "new"), "name"), "pools[new].name"),
        ((*where, Item("name", "new"), "count"), "pools[new].count"),
    ]
    pools = apply(FOUND, found)["properties"]["agentPoolProfiles"]
    assert [(each["name"], each.get("count")) for each in pools] == [("system", 3), ("elsewhere", 7), ("new", 0)]
    assert pools[0]["upgradeSettings"] == {"maxSurge": "10%"}
    assert FOUND["properties"]["agentPoolProfiles"][0]["count"] == 1
    assert str(found[0]) == "pools[system].count is 1, and asked for was 3"


def test_a_suboption_is_changed_alone() -> None:
    (change,) = differences(OPTIONS, {"pools": [{"name": "system", "upgrade_settings": {"max_surge": "33%"}}]}, FOUND)
    assert change.name == "pools[system].upgrade_settings.max_surge"
    assert (change.before, change.after) == ("10%", "33%")
    (change,) = differences(
        OPTIONS, {"pools": [{"name": "elsewhere", "upgrade_settings": {"max_surge": "33%"}}]}, FOUND
    )
    assert change.before is None
    assert apply(FOUND, [change])["properties"]["agentPoolProfiles"][1]["upgradeSettings"] == {"maxSurge": "33%"}


@pytest.mark.parametrize(
    ("rules", "differs"),
    [
        ([{"cidr": "B", "action": "deny"}, {"cidr": "a"}], False),
        ([{"cidr": "a"}], True),
        ([{"cidr": "a"}, {"cidr": "c"}], True),
        # One element stands for one.
        ([{"cidr": "a"}, {"cidr": "a"}], True),
        ([], True),
    ],
)
def test_a_list_without_a_key_is_one_value(rules: list[dict[str, str]], differs: bool) -> None:
    assert bool(changed(rules=rules)) is differs


def test_a_list_without_a_key_is_sent_whole() -> None:
    ((name, before, after),) = changed(rules=[{"cidr": "c", "action": ""}])
    assert name == "rules"
    assert before == FOUND["properties"]["rules"]
    assert after == [{"value": "c"}]


def test_names_are_found_whatever_their_case() -> None:
    found = {"Properties": {"DisableLocalAccounts": True}}
    assert dig(found, ("properties", "disableLocalAccounts")) is True
    assert dig(found, ("properties", "disableLocalAccounts", "further")) is None
    result = apply(found, differences(OPTIONS, {"disable_local_accounts": False}, found))
    assert result == {"Properties": {"DisableLocalAccounts": False}}


def test_what_is_asked_for_as_a_document() -> None:
    params = {"tier": "Free", "ranges": ["192.0.2.1"], "resource_group": "tea", "location": "", "tags": None}
    assert document(OPTIONS, params) == {
        "sku": {"tier": "Free"},
        "properties": {"authorizedIPRanges": ["192.0.2.1"]},
    }


def test_of_what_is_new_azure_is_told_also_what_is_off() -> None:
    # Left out, it may be on: Azure's defaults are its own.
    assert document(OPTIONS, {"disable_local_accounts": False}) == {"properties": {"disableLocalAccounts": False}}
    assert differences(OPTIONS, {"disable_local_accounts": False}, {}, new=True)
    assert not differences(OPTIONS, {"disable_local_accounts": False}, {})
    usual = {"option": Option(absent=("Regular",))}
    assert not differences(usual, {"option": "Regular"}, {}, new=True)


def test_values_in_azures_spelling() -> None:
    ids = Option("list", azure="identities", write=lambda names: {each: {} for each in names}, read=list)
    assert differences({"ids": ids}, {"ids": ["B", "a"]}, {"identities": {"A": {"x": 1}, "b": {}}}) == []
    assert document({"ids": ids}, {"ids": ["a"]}) == {"identities": {"a": {}}}


def test_a_document_as_options_and_back() -> None:
    params = params_of(OPTIONS, FOUND)
    assert params["pools"][0] == {
        "name": "system",
        "vm_size": "Standard_DS3_v2",
        "count": 1,
        "upgrade_settings": {"max_surge": "10%"},
    }
    assert "resource_group" not in params
    assert differences(OPTIONS, params, FOUND) == []
    # All that the options can name, and nothing that they cannot.
    made = document(OPTIONS, params)
    assert differences(OPTIONS, params, made) == []
    assert "provisioningState" not in made["properties"]
    assert made["sku"] == {"tier": "Free"}


def test_the_paths_of_all_properties() -> None:
    found = set(leaves(OPTIONS))
    assert ("sku", "tier") in found
    assert ("properties", "agentPoolProfiles", "upgradeSettings", "maxSurge") in found
    assert not [path for path in found if "resourceGroup" in path]


def test_options_below_a_property() -> None:
    options = below("properties", {"is_on": Option("bool"), "tier": Option(azure="sku.tier")})
    assert [option.azure for option in options.values()] == ["properties.isOn", "properties.sku.tier"]


def test_the_argument_specification() -> None:
    assert argument_spec(OPTIONS)["resource_group"] == {"type": "str", "required": True}
    assert argument_spec(OPTIONS)["tier"] == {"type": "str", "choices": ["Free", "Standard"]}
    assert argument_spec(OPTIONS)["ranges"] == {"type": "list", "elements": "str"}
    pools = argument_spec(OPTIONS)["pools"]
    assert (pools["type"], pools["elements"]) == ("list", "dict")
    assert pools["options"]["name"] == {"type": "str", "required": True}
    assert pools["options"]["upgrade_settings"]["options"] == {"max_surge": {"type": "str"}}
    assert argument_spec({"on": Option("bool", default=True), "n": Option("list", elements="int")}) == {
        "on": {"type": "bool", "default": True},
        "n": {"type": "list", "elements": "int"},
    }


@pytest.mark.parametrize(
    ("name", "option", "no_log"),
    [
        ("secret", Option(no_log=True), True),
        ("public_key", Option(), False),
        ("enable_secret_rotation", Option("bool"), False),
        ("value", Option(no_log=True), True),
        ("name", Option(), None),
    ],
)
def test_what_ansible_keeps_out_of_logs(name: str, option: Option, no_log: bool | None) -> None:
    assert argument_spec({name: option})[name].get("no_log") is no_log
