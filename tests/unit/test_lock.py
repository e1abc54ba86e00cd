# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock, between real processes: controllers, their workers, watchers."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from ansible_collections.matcha.mlops.plugins.module_utils import detached
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


# A controller that is killed before its worker asks for the lock. Ansible's workers are such processes.
KILLED = """\
import multiprocessing, os, signal, sys, time
from pathlib import Path
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LocalLock, LockError

def work(controller):
    while os.getppid() == controller:
        time.sleep(0.01)
    try:
        print("taken", LocalLock(Path(sys.argv[1])).acquire("late"))
    except LockError as error:
        print(error)

multiprocessing.get_context("fork").Process(target=work, args=(os.getpid(),)).start()
os.kill(os.getpid(), signal.SIGKILL)
"""


def with_our_path() -> dict[str, str]:
    """Return an environment in which a process imports what this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


class Controller:
    """A process that stands for `ansible-playbook`."""

    def __init__(self, folder: Folder) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLER, str(folder.path)],
            env=with_our_path(),
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


def watcher_of(folder: Folder) -> dict[str, Any]:
    return dict(json.loads((folder.path / "lock.json").read_text(encoding="utf-8"))["watcher"])


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
    who = f"{getpass.getuser()}@{socket.gethostname()} (process {one.process.pid}) since 2"
    for part in (f"refused: The deployment is locked by {who}", "'provision'", "matcha_lock_timeout", "unlock.yml"):
        assert part in told


def test_a_run_waits_and_gets_it(start: Callable[[], Controller]) -> None:
    one, two = start(), start()
    token = one.do("take", "provision", 0)
    assert two.do("take", "destroy", 60).startswith("waiting: waiting for the lock of")
    assert one.do("release", token) == "released"
    assert len(two.hear()) == 32


def test_a_run_waits_no_longer_than_it_may(start: Callable[[], Controller]) -> None:
    one, two = start(), start()
    one.do("take", "provision", 0)
    assert two.do("take", "destroy", 0.1).startswith("waiting:")
    assert two.hear().startswith("refused: The deployment is locked by")


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
    assert (folder.path / "state.json").exists()
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
        os.kill(watcher_of(folder)["pid"], signal.SIGKILL)
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


def test_force_ends_what_is_under_way(start: Callable[[], Controller], folder: Folder) -> None:
    one = start()
    one.tell("work", one.do("take", "provision", 0))
    _working, worker, child = one.hear().split()
    LocalLock(folder.path).force()
    assert ended(int(worker))
    assert ended(int(child))
    assert not ended(one.process.pid)


def test_force_comes_too_late(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    # The holder ends at the same moment, and takes the folder, in which nothing is, with it.
    lock = LocalLock(folder.path)
    lock.try_acquire("provision")
    end = detached.end

    def end_both(*arguments: Any) -> None:
        end(*arguments)
        shutil.rmtree(folder.path)

    monkeypatch.setattr(detached, "end", end_both)
    lock.force()
    assert lock.holder() is None


def test_roles_work_side_by_side(folder: Folder) -> None:
    lock = LocalLock(folder.path)
    token = str(lock.try_acquire("provision"))
    with lock.working(token), lock.working(token):
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


def test_who_has_lost_its_controller_takes_no_lock(folder: Folder) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder.path)],
        env=with_our_path(), stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "The run that asked for the lock has ended.\n"
    assert LocalLock(folder.path).holder() is None


def test_a_killed_watcher_is_replaced(
    start: Callable[[], Controller], folder: Folder, wait_until: Callable[..., Any]
) -> None:
    lock, one = LocalLock(folder.path), start()
    old = one.do("take", "provision", 0)
    killed = watcher_of(folder)["pid"]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: ended(killed), "it has ended")
    assert lock.holder() is None
    new = one.do("take", "provision", 0)
    assert len(new) == 32
    assert new != old
    one.do("release", old)
    with pytest.raises(LockError), lock.working(old):
        pass
    with lock.working(new):
        pass


def test_a_killed_watcher_that_nobody_reaps_holds_nothing(folder: Folder, wait_until: Callable[..., Any]) -> None:
    # Ansible may be the first process of a container, which would have to.
    lock = LocalLock(folder.path)
    old = lock.try_acquire("provision")
    killed = watcher_of(folder)["pid"]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: ended(killed), "it has ended")
    assert psutil.pid_exists(killed)
    assert lock.holder() is None
    assert lock.try_acquire("provision") not in (old, None)


def test_a_dead_run_whose_watcher_is_dead_too_stops_nobody(
    start: Callable[[], Controller], folder: Folder, wait_until: Callable[..., Any]
) -> None:
    one = start()
    one.do("take", "provision", 0)
    killed = watcher_of(folder)["pid"]
    os.kill(killed, signal.SIGKILL)
    one.end()
    wait_until(lambda: ended(killed), "it has ended")
    assert (folder.path / "lock.json").exists()
    assert LocalLock(folder.path).holder() is None
    assert len(start().do("take", "destroy", 0)) == 32


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_damaged_record_stops_nobody(folder: Folder, text: str) -> None:
    (folder.path / "lock.json").write_text(text, encoding="utf-8")
    assert LocalLock(folder.path).holder() is None
    assert LocalLock(folder.path).try_acquire("provision")


def test_a_record_of_a_process_that_was_replaced_holds_nothing(folder: Folder) -> None:
    # The number is in use again, by a process that was started at another time.
    now = {"pid": os.getpid(), "started": "1"}
    record = {"token": "t", "user": "u", "host": "h", "since": "s", "purpose": "p", "controller": now, "watcher": now}
    (folder.path / "lock.json").write_text(json.dumps(record), encoding="utf-8")
    lock = LocalLock(folder.path)
    assert lock.holder() is None
    # Nor is that process ended.
    lock.release("t")
    lock.force()
    assert lock.try_acquire("provision")


@pytest.mark.parametrize("controller", [{"pid": os.getpid(), "started": "1"}, {"pid": 2**22 + 1, "started": "1"}])
def test_nothing_is_locked_for_a_controller_that_has_ended(folder: Folder, controller: dict[str, Any]) -> None:
    holder = json.dumps({"token": "t", "controller": controller})
    command = [sys.executable, "-I", watcher.__file__, folder.path, holder]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "gone\n"
    assert not list(folder.path.iterdir())


def test_its_files_are_its_owners_alone(folder: Folder) -> None:
    below = LocalLock(folder.path / "a" / "b")
    below.try_acquire("provision")
    assert {path.stat().st_mode & 0o777 for path in below.folder.iterdir()} == {0o600}
    assert below.folder.stat().st_mode & 0o777 == 0o700
    below.force()


def test_files_that_cannot_be_locked_are_named(folder: Folder) -> None:
    (folder.path / "lock").mkdir()
    with pytest.raises(LockError, match=f"The lock in {folder.path} could not be taken: see that its files are yours"):
        LocalLock(folder.path).try_acquire("provision")


def test_the_watcher_keeps_nobodys_pipe_open(folder: Folder) -> None:
    # Whoever started Ansible may read its output to the end, while the lock is held.
    script = f"from {LocalLock.__module__} import *; print(LocalLock(Path(sys.argv[1])).try_acquire('test'))"
    path = os.pathsep.join(entry for entry in sys.path if entry)
    worker = subprocess.run(
        [sys.executable, "-c", script, folder.path],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    holder = LocalLock(folder.path).holder()
    assert holder
    assert worker.stdout.strip() == holder.token
    # Nor does a Ctrl-C that ends Ansible reach it: the lock is held until what runs has ended.
    assert os.getsid(watcher_of(folder)["pid"]) == watcher_of(folder)["pid"]
