# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""State and lock on Azure, between real processes on what stand for different machines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure.arm import Arm
from ansible_collections.matcha.mlops.plugins.module_utils.azure.auth import Auth
from ansible_collections.matcha.mlops.plugins.module_utils.azure.blob import BlobPlace, ensure_access
from ansible_collections.matcha.mlops.plugins.module_utils.stack import lease as lease_module
from ansible_collections.matcha.mlops.plugins.module_utils.stack.blob_state import BlobState
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lease import LeaseLock
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import Holder
from ansible_collections.matcha.mlops.plugins.module_utils.stack.state import StateError
from modules.harness import run_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modules.conftest import Azure

ACCOUNT, CONTAINER = "teastatestacc", "teastatestore"


@pytest.fixture
def account(azure: Azure) -> str:
    """Return the id of a private storage account with a container, to whose data nobody has a right yet."""
    run_module("resource_group", name="tea", location="westeurope")
    made = run_module(
        "storage_account",
        resource_group="tea",
        name=ACCOUNT,
        location="westeurope",
        sku={"name": "Standard_LRS"},
        containers=[{"name": CONTAINER}],
    )
    azure.forget()
    return str(made["resource"]["id"])


@pytest.fixture
def place(account: str) -> BlobPlace:
    """Return the place of a state to whose data the right is there."""
    found = BlobPlace(Auth.of({}), ACCOUNT, CONTAINER)
    ensure_access(found, Arm(found.auth, 60), account, lambda _text: None)
    return found


class Controller:
    """A controller on a machine of its own."""

    def __init__(self, folder: Path, place: BlobPlace) -> None:
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self.folder = folder
        self.process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("controller.py")),
                str(folder),
                place.account,
                place.container,
            ],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, *words: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def do(self, *words: Any) -> str:
        self.tell(*words)
        return self.hear()

    def watcher(self) -> psutil.Process:
        """Return the process that holds the lease for it."""
        (found,) = [
            each for each in psutil.process_iter(["cmdline"]) if str(self.folder) in (each.info["cmdline"] or [])[3:4]
        ]
        return found

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start(place: BlobPlace, tmp_path: Path) -> Iterator[Callable[[], Controller]]:
    """Yield what starts a controller, each on what stands for another machine."""
    started: list[Controller] = []

    def one() -> Controller:
        started.append(Controller(tmp_path / f"machine-{len(started)}", place))
        return started[-1]

    yield one
    for controller in started:
        controller.end()


def holder(place: BlobPlace) -> Holder | None:
    return LeaseLock(Path("nowhere"), place).holder()


def freed(place: BlobPlace, within: float) -> float:
    """Wait until the lease is free; return the seconds that it took."""
    begin = time.monotonic()
    while holder(place):
        assert time.monotonic() - begin < within, f"not free within {within} s"
        time.sleep(0.05)
    return time.monotonic() - begin


def until_ended(process: psutil.Process) -> None:
    """Wait until a process has ended, whether or not somebody reaps it."""
    begin = time.monotonic()
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() - begin < 40, f"{process} goes on"
        time.sleep(0.05)


def tags_by(azure: Azure) -> list[tuple[int, str]]:
    """Return the writes to Resource Manager: when, as the number of the request, and by whom."""
    return [(each["n"], each["body"]["tags"]["by"]) for each in azure.since() if each["method"] == "PATCH"]


def test_of_two_controllers_one_wins(start: Callable[[], Controller], place: BlobPlace) -> None:
    one, two = start(), start()
    one.tell("take", "provision", 0)
    two.tell("take", "provision", 0)
    said = [one.hear(), two.hear()]
    winner, loser = (one, two) if len(said[0]) == 32 else (two, one)
    refused = next(each for each in said if len(each) != 32)
    assert refused.startswith("refused: The deployment is locked by")
    assert f"(process {winner.process.pid})" in refused
    found = holder(place)
    assert found
    assert (found.pid, found.purpose, found.alive) == (winner.process.pid, "provision", True)
    assert winner.do("release") == "released"
    assert len(loser.do("take", "provision", 0)) == 32


def test_the_credential_is_in_no_arguments(start: Callable[[], Controller]) -> None:
    one = start()
    one.do("take", "provision", 0)
    assert os.environ["AZURE_CLIENT_SECRET"] not in " ".join(one.watcher().cmdline())
    assert os.environ["AZURE_CLIENT_SECRET"] not in (one.folder / "lock.json").read_text(encoding="utf-8")


def test_a_killed_run_writes_nothing_once_its_lease_is_free(
    azure: Azure, start: Callable[[], Controller], place: BlobPlace
) -> None:
    one, two = start(), start()
    one.do("take", "provision", 0)
    assert one.do("tag", "one").startswith("tagging")
    while len(tags_by(azure)) < 3:
        time.sleep(0.01)
    one.process.send_signal(signal.SIGKILL)
    freed(place, within=60)
    assert len(two.do("take", "provision", 60).removeprefix("waiting:")) >= 32
    two.do("tag", "two")
    while not any(who == "two" for _n, who in tags_by(azure)):
        time.sleep(0.01)
    first = next(n for n, who in tags_by(azure) if who == "two")
    assert all(n < first for n, who in tags_by(azure) if who == "one")
    leases = [each["n"] for each in azure.since() if each["query"].get("comp") == "lease"]
    taken = max(n for n in leases if n < first)
    assert all(n < taken for n, who in tags_by(azure) if who == "one")


def test_a_machine_that_dies_holds_it_for_half_a_minute_at_most(
    azure: Azure, start: Callable[[], Controller], place: BlobPlace
) -> None:
    one = start()
    one.do("take", "provision", 0)
    worker = psutil.Process(int(one.do("tag", "one").split()[1]))
    # The worker goes on, with nobody to end it; its own clock stops it.
    one.watcher().kill()
    one.process.send_signal(signal.SIGKILL)
    assert freed(place, within=60) < 60
    count = len(tags_by(azure))
    until_ended(worker)
    assert count == len(tags_by(azure))


def test_a_run_whose_lease_was_taken_away_overwrites_nothing(
    start: Callable[[], Controller], place: BlobPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = start(), start()
    one.do("take", "provision", 0)
    assert one.do("write", "mlflow") == "wrote mlflow"
    worker = psutil.Process(int(one.do("tag", "one").split()[1]))
    monkeypatch.setattr(lease_module, "BREAK_PERIOD", 0)
    LeaseLock(Path("nowhere"), place).force()
    assert len(two.do("take", "provision", 60)) == 32
    assert two.do("write", "zenml") == "wrote zenml"
    refused = one.do("write", "chroma")
    assert "was not written" in refused
    assert BlobState(place).read()["components"] == {"zenml": {}}
    # Its watcher learns of it at the next renewal, and ends what is at work.
    until_ended(worker)


def test_without_a_lease_nothing_can_be_written(start: Callable[[], Controller], place: BlobPlace) -> None:
    one = start()
    one.do("take", "provision", 0)
    one.do("write", "mlflow")
    with pytest.raises(StateError, match="does not hold its lease"):
        BlobState(place).update(lambda state: {**(state or {}), "components": {}})
    assert BlobState(place).read()["components"] == {"mlflow": {}}


def test_the_right_to_the_data_is_granted_and_waited_for(azure: Azure, account: str) -> None:
    place = BlobPlace(Auth.of({}), ACCOUNT, CONTAINER)
    told: list[str] = []
    ensure_access(place, Arm(place.auth, 60), account, told.append)
    assert told
    assert told[0].startswith(f"waiting for the right to the data in {ACCOUNT}")
    grants = [each for each in azure.writes() if "roleAssignments" in each]
    assert len(grants) == 1
    azure.forget()
    # Again: the right is there, and nothing is granted.
    ensure_access(place, Arm(place.auth, 60), account, told.append)
    assert not [each for each in azure.writes() if "roleAssignments" in each]
    assert BlobState(place).read() is None
