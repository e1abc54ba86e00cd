# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock, between real processes: controllers, their workers, watchers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.stack import watcher
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LocalLock, LockError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder

# A controller does what it is told, each command in a worker, as Ansible does: it forks, so that the
# controller is the worker's parent.
CONTROLLER = """\
import os, subprocess, sys
from pathlib import Path
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LocalLock, LockError
lock = LocalLock(Path(sys.argv[1]))

def take(purpose, timeout):
    try:
        return lock.acquire(purpose, float(timeout), lambda text: print("waiting:", text, flush=True))
    except LockError as error:
        return f"refused: {error}"

def work(token):
    with lock.working(token):
        child = subprocess.Popen(["sleep", "1000"], close_fds=False)
        print("working", os.getpid(), child.pid, flush=True)
        child.wait()
    return "worked"

def release(token):
    lock.release(token)
    return "released"

for line in sys.stdin:
    name, *arguments = line.split()
    if not os.fork():
        print(globals()[name](*arguments), flush=True)
        os._exit(0)
    if name != "work":
        os.wait()
"""


class Controller:
    """A process that stands for `ansible-playbook`."""

    def __init__(self, folder: Folder) -> None:
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLER, str(folder.path)],
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

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start(folder: Folder) -> Iterator[Callable[[], Controller]]:
    """Yield what starts a controller."""
    started: list[Controller] = []

    def one() -> Controller:
        started.append(Controller(folder))
        return started[-1]

    yield one
    for controller in started:
        controller.end()


@pytest.fixture
def free(folder: Folder, wait_until: Callable[..., Any]) -> Callable[[], Any]:
    """Return what waits until the lock is free."""
    return lambda: wait_until(lambda: LocalLock(folder.path).holder() is None, "the lock is free")


def ended(pid: int) -> bool:
    return watcher.start_time(pid) == "" or open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] == "Z"


def test_a_run_takes_it_again_and_again(start: Callable[[], Controller], folder: Folder) -> None:
    one = start()
    token = one.do("take", "provision", 0)
    assert len(token) == 32
    assert one.do("take", "verify", 0) == token
    holder = LocalLock(folder.path).holder()
    assert holder
    assert (holder.token, holder.pid, holder.purpose, holder.alive) == (token, one.process.pid, "provision", True)


def test_another_run_is_told_who_holds_it(start: Callable[[], Controller]) -> None:
    one, two = start(), start()
    one.do("take", "provision", 0)
    told = two.do("take", "destroy", 0)
    for part in ("refused: The deployment is locked by", "@", f"(process {one.process.pid})", "since 2", "'provision'"):
        assert part in told


def test_a_run_waits_and_gets_it(start: Callable[[], Controller]) -> None:
    one, two = start(), start()
    token = one.do("take", "provision", 0)
    assert two.do("take", "destroy", 60).startswith("waiting: waiting for the lock of")
    assert one.do("release", token) == "released"
    assert len(two.hear()) == 32


def test_only_its_own_token_frees_it(start: Callable[[], Controller], folder: Folder) -> None:
    one = start()
    token = one.do("take", "provision", 0)
    one.do("release", "wrong")
    assert LocalLock(folder.path).holder()
    one.do("release", token)
    assert LocalLock(folder.path).holder() is None


def test_it_ends_with_its_holder(start: Callable[[], Controller], folder: Folder, free: Callable[[], Any]) -> None:
    (folder.path / "state.json").touch()
    one = start()
    one.do("take", "provision", 0)
    one.process.send_signal(signal.SIGKILL)
    free()
    assert not (folder.path / "lock.json").exists()
    assert len(start().do("take", "provision", 0)) == 32


def test_a_folder_without_a_deployment_is_removed(
    start: Callable[[], Controller], folder: Folder, wait_until: Callable[..., Any]
) -> None:
    one = start()
    token = one.do("take", "provision", 0)
    one.do("release", token)
    wait_until(lambda: not folder.path.exists(), "the folder is gone")
    folder.path.mkdir()


@pytest.mark.parametrize("new_holder", [False, True])
def test_what_a_dead_run_started_is_ended_before_it_is_free(
    start: Callable[[], Controller], folder: Folder, free: Callable[[], Any], new_holder: bool
) -> None:
    (folder.path / "state.json").touch()
    one = start()
    one.tell("work", one.do("take", "provision", 0))
    _working, worker, child = one.hear().split()
    if new_holder:
        # Even the watcher is gone: the next holder sees to it.
        record = json.loads((folder.path / "lock.json").read_text(encoding="utf-8"))
        os.kill(record["watcher"]["pid"], signal.SIGKILL)
        assert len(start().do("take", "destroy", 30)) == 32
    else:
        one.process.send_signal(signal.SIGKILL)
        free()
    assert ended(int(worker))
    assert ended(int(child))


def test_force_makes_the_old_holder_fail(start: Callable[[], Controller], folder: Folder) -> None:
    (folder.path / "state.json").touch()
    token = start().do("take", "provision", 0)
    lock = LocalLock(folder.path)
    with lock.working(token):
        pass
    lock.force()
    assert lock.holder() is None
    with pytest.raises(LockError, match="does not hold the lock any more"), lock.working(token):
        pass
    start().do("take", "destroy", 0)
    with pytest.raises(LockError, match=r"any more; .* for 'destroy' does"), lock.working(token):
        pass


def test_nothing_is_changed_where_the_folder_is_gone(folder: Folder) -> None:
    with pytest.raises(LockError, match="no deployment's folder any more"), LocalLock(folder.path).working("token"):
        pass


def test_of_ten_one_wins(start: Callable[[], Controller]) -> None:
    controllers = [start() for _number in range(10)]
    for controller in controllers:
        controller.tell("take", "provision", 0)
    answers = [controller.hear() for controller in controllers]
    assert sum(len(answer) == 32 for answer in answers) == 1
    assert sum(answer.startswith("refused: The deployment is locked by") for answer in answers) == 9


def test_a_record_of_a_process_that_was_replaced_holds_nothing(folder: Folder) -> None:
    now = {"pid": os.getpid(), "started": "1"}
    record = {"token": "t", "user": "u", "host": "h", "since": "s", "purpose": "p", "controller": now, "watcher": now}
    (folder.path / "lock.json").write_text(json.dumps(record), encoding="utf-8")
    assert LocalLock(folder.path).holder() is None
    with contextlib.suppress(FileNotFoundError):
        (folder.path / "lock.json").unlink()
