# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a module as a table: which property of Azure's each one is, and how its values are compared.

From one table come the argument specification, the body of a request, the difference to what is there,
and, the other way round, the options that would make what is there.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

Params = Mapping[str, Any]
Document = dict[str, Any]


def camel(name: str) -> str:
    """Return Azure's spelling of an option's name: ``kubernetes_version`` is ``kubernetesVersion``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def same_text(wanted: Any, found: Any) -> bool:
    """Azure keeps no promise about the case of names and of enumerated values."""
    return str(wanted).casefold() == str(found).casefold()


def same_location(wanted: Any, found: Any) -> bool:
    """Compare regions, which have a name and a display name: ``westeurope``, ``West Europe``."""
    return same_text(str(wanted).replace(" ", ""), str(found).replace(" ", ""))


def same_set(wanted: Any, found: Any) -> bool:
    """Order in a list of texts means nothing to Azure, and it sorts some."""
    return sorted(str(each).casefold() for each in wanted) == sorted(str(each).casefold() for each in found or ())


def is_nan(value: Any) -> bool:
    """Return whether a value is a number that is none; the SDK and ``az`` write so for no price."""
    return isinstance(value, float) and math.isnan(value)


def same_exactly(wanted: Any, found: Any) -> bool:
    """Compare what Azure gives back as it was sent, such as tags."""
    return bool(wanted == found)


def unchanged(value: Any) -> Any:
    """Return the value; what an option says is what Azure is sent."""
    return value


SAME: dict[str, Callable[[Any, Any], bool]] = {"str": same_text, "list": same_set, "path": same_text}


@dataclass(frozen=True)
class Option:
    """One option. ``azure`` is the path of its property below the enclosing one, as ``a.b.c``.

    ``immutable`` says what to do instead where Azure cannot change it. ``absent`` holds the values that
    Azure leaves out of its answers. ``key`` names the suboption by which the elements of a list are known;
    an element that the task does not name stays. ``compare`` is false for what Azure never gives back.
    ``merged`` is a dictionary that a part is merged into: what goes is sent as null.
    """

    type: str = "str"
    azure: str = ""
    elements: str = ""
    options: Mapping[str, Option] | None = None
    choices: tuple[Any, ...] = ()
    required: bool = False
    no_log: bool | None = None
    default: Any = None
    immutable: str = ""
    absent: tuple[Any, ...] = ()
    key: str = ""
    compare: bool = True
    merged: bool = False
    same: Callable[[Any, Any], bool] | None = None
    write: Callable[[Any], Any] = unchanged
    read: Callable[[Any], Any] = unchanged

    def is_same(self, wanted: Any, found: Any, new: bool = False) -> bool:
        """Return whether nothing is to be done for this option. What is ``new`` is yet to be made."""
        if found is None:
            # Azure has a default of its own for what it isn't sent, which a switch that is off may not be.
            off = wanted in (False, 0) and not (new or self.absent)
            return off or wanted in ([], {}) or wanted in self.absent or is_nan(wanted)
        if self.same:
            return self.same(wanted, found)
        return SAME.get(self.type, same_exactly)(wanted, found)


Options = Mapping[str, Option]


def below(where: str, options: Options) -> dict[str, Option]:
    """Return options whose properties are all below one, such as ``properties``."""
    return {
        name: replace(option, azure=".".join((where, *property_path(name, option)))) for name, option in options.items()
    }


@dataclass(frozen=True)
class Item:
    """A step of a path into a list: the element whose ``key`` has this value."""

    key: str
    value: str

    def __str__(self) -> str:
        """Return the step as a message shows it."""
        return f"[{self.value}]"


Path = tuple["str | Item", ...]


@dataclass(frozen=True)
class Change:
    """One property that is to be changed, where it is, and its values in Azure's spelling."""

    path: Path
    before: Any
    after: Any
    name: str
    option: Option

    def __str__(self) -> str:
        """Return the change as a message shows it."""
        return f"{self.name} is {self.before!r}, and asked for was {self.after!r}"


def argument_spec(options: Options) -> dict[str, Any]:
    """Return the argument specification for AnsibleModule."""
    return {name: _argument(name, option) for name, option in options.items()}


def _argument(name: str, option: Option) -> dict[str, Any]:
    found: dict[str, Any] = {"type": option.type}
    if option.type == "list":
        found["elements"] = option.elements or ("dict" if option.options else "str")
    for key in ("required", "choices", "default"):
        value = getattr(option, key)
        if value not in ((), None) and (key, value) != ("required", False):
            found[key] = list(value) if isinstance(value, tuple) else value
    if option.no_log is not None:
        found["no_log"] = option.no_log
    elif re.search("secret|key|token|password", name):
        found["no_log"] = False
    if option.options:
        found["options"] = argument_spec(option.options)
    return found


def property_path(name: str, option: Option) -> tuple[str, ...]:
    """Return where an option's property is, below the enclosing one."""
    return tuple((option.azure or camel(name)).split("."))


def dig(document: Any, path: Path) -> Any:
    """Return what is at a path; None where nothing is. Names are found whatever their case."""
    for step in path:
        if isinstance(step, Item):
            found = [each for each in document or () if same_text(each.get(step.key), step.value)]
            document = found[0] if found else None
        elif isinstance(document, Mapping):
            document = document.get(step, next((v for k, v in document.items() if same_text(k, step)), None))
        else:
            return None
    return document


def unset(value: Any) -> bool:
    """Return whether a task does not name an option; surveys send an empty text for that."""
    return value is None or value == ""


def differences(
    options: Options, params: Params, found: Any, path: Path = (), name: str = "", *, new: bool = False
) -> list[Change]:
    """Return what is to be changed so that everything the task names is as it says.

    ``new`` says that all of it is yet to be made; what is there are our own defaults then.
    """
    changes: list[Change] = []
    for key, option in options.items():
        wanted: Any = params.get(key)
        if unset(wanted) or option.azure == "-":
            continue
        where, label = path + property_path(key, option), f"{name}{key}"
        there = dig(found, where[len(path) :])
        if option.options is None:
            changes += _leaf(option, wanted, there, where, label, new=new)
        elif option.type == "dict":
            changes += differences(option.options, wanted, there or {}, where, f"{label}.", new=new)
        elif option.key:
            for each in wanted:
                item = Item(property_path(option.key, option.options[option.key])[-1], each[option.key])
                element = dig(there, (item,))
                parts = (option.options, each, element or {}, (*where, item), f"{label}[{item.value}].")
                changes += differences(*parts, new=new or element is None)
        else:
            changes += _list(option, wanted, there, where, label)
    return changes


def _leaf(option: Option, wanted: Any, there: Any, where: Path, label: str, *, new: bool) -> list[Change]:
    found = None if there is None else option.read(there)
    if (found is not None and not option.compare) or option.is_same(wanted, found, new):
        return []
    after = option.write(wanted)
    return [Change(where, there, after, label, option)]


def _list(option: Option, wanted: list[Any], there: Any, where: Path, label: str) -> list[Change]:
    """Compare a list without a key, which is one value: equal elements in any order are the same."""
    suboptions = option.options or {}
    rest = list(there or ())
    for each in wanted:
        equal = [one for one in rest if not differences(suboptions, each, one)]
        if not equal:
            break
        rest.remove(equal[0])
    else:
        if not rest:
            return []
    return [Change(where, there, [document(suboptions, each) for each in wanted], label, option)]


def document(options: Options, params: Params) -> Document:
    """Return all properties that the options name, and nothing else, in Azure's spelling."""
    result: Document = {}
    for name, option in options.items():
        wanted: Any = params.get(name)
        if unset(wanted) or option.azure == "-":
            continue
        if option.options is None:
            value = option.write(wanted)
        elif option.type == "dict":
            value = document(option.options, wanted)
        else:
            value = [document(option.options, each) for each in wanted]
        place(result, property_path(name, option), value)
    return result


def apply(found: Document, changes: list[Change]) -> Document:
    """Return a document with the changes made in it. The one given stays as it is."""
    result = copy.deepcopy(found)
    for change in changes:
        place(result, change.path, copy.deepcopy(change.after))
    return result


def place(target: Any, path: Path, value: Any) -> None:
    """Put a value at a path, and make what is missing on the way."""
    for step, following in zip(path, path[1:]):
        target = _enter(target, step, [] if isinstance(following, Item) else {})
    target[_spelled(target, str(path[-1]))] = value


def _enter(target: Any, step: str | Item, empty: Any) -> Any:
    if isinstance(step, Item):
        found = dig(target, (step,))
        if found is None:
            found = {step.key: step.value}
            target.append(found)
        return found
    key = _spelled(target, step)
    if target.get(key) is None:
        target[key] = empty
    return target[key]


def _spelled(target: Mapping[str, Any], name: str) -> str:
    """Return a property's name as it is spelled there already."""
    return next((key for key in target if same_text(key, name)), name)


def params_of(options: Options, found: Any) -> Document:
    """Return the options that name everything in a document that they can."""
    params: Document = {}
    for name, option in options.items():
        value = dig(found, property_path(name, option)) if option.azure != "-" else None
        if value is None:
            continue
        if option.options is None:
            params[name] = option.read(value)
        elif option.type == "dict":
            params[name] = params_of(option.options, value)
        else:
            params[name] = [params_of(option.options, each) for each in value]
    return params


def leaves(options: Options, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the paths of all properties that the options can name, lists left out of them."""
    for name, option in options.items():
        if option.azure == "-":
            continue
        where = path + property_path(name, option)
        if option.options is None:
            yield where
        else:
            yield from leaves(option.options, where)
