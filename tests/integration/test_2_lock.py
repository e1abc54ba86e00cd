# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock: one run works, the others are told; it ends with its holder; unlock.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployments import Deployment, kill_controller, lock_is_free, made, new_home, wait_until

if TYPE_CHECKING:
    from pathlib import Path

# Holds the lock, and then does one more thing under it when the test says so.
HOLDER = """\
- name: Hold the lock
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Take the lock
      ansible.builtin.import_role:
        name: matcha.mlops.stack
    - name: Wait for the test
      ansible.builtin.wait_for:
        path: "{{ signal }}"
        timeout: 300
        sleep: 1
    - name: Write
      matcha.mlops.local_folder:
        paths: ["{{ matcha_deployment.path }}/data/late"]
"""


class Holder:
    """A playbook that holds the lock until it is told to go on."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.signal = folder / "signal"
        playbook = folder / "holder.yml"
        playbook.write_text(HOLDER, encoding="utf-8")
        self.process = deployment.start(str(playbook), signal=str(self.signal))
        wait_until(
            lambda: not lock_is_free(deployment) and (deployment.path / "state.json").exists(), "the lock is taken"
        )

    def go_on(self) -> tuple[int, str]:
        self.signal.touch()
        output, _nothing = self.process.communicate()
        return self.process.returncode, output


def test_a_second_run_is_told_who_holds_the_lock(deployment: Deployment, tmp_path: Path) -> None:
    holder = Holder(deployment, tmp_path)
    told = deployment.run("provision").failed("The deployment is locked by", f"(process {holder.process.pid})")
    assert "for 'Hold the lock'" in told.text
    assert "matcha_lock_timeout" in told.text
    assert "locked by" in deployment.run("provision", "--check").ok().text
    assert "Hold the lock" in deployment.status()["lock"]
    status, output = holder.go_on()
    assert status == 0, output
    wait_until(lambda: lock_is_free(deployment), "the lock is free")


def test_a_run_waits_if_it_is_asked_to(deployment: Deployment, tmp_path: Path) -> None:
    holder = Holder(deployment, tmp_path)
    second = deployment.start("provision", matcha_lock_timeout=300)
    assert second.stdout
    seen = ""
    while "waiting for the lock of" not in seen:
        line = second.stdout.readline()
        assert line, seen
        seen += line
    holder.go_on()
    rest, _nothing = second.communicate()
    assert second.returncode == 0, seen + rest


def test_unlock_shows_a_live_holder_and_takes_the_lock_only_by_force(deployment: Deployment, tmp_path: Path) -> None:
    assert "is free" in deployment.run("unlock").ok().text
    holder = Holder(deployment, tmp_path)
    deployment.run("unlock").failed(f"(process {holder.process.pid})", "matcha_force=true")
    assert "is held by" in deployment.run("unlock", matcha_force=True).ok().text
    assert lock_is_free(deployment)
    # The old holder's next write fails, also if nobody has the lock now.
    status, output = holder.go_on()
    assert status
    assert "does not hold the lock any more" in " ".join(output.split())
    assert not (deployment.path / "data" / "late").exists()


def test_the_lock_ends_with_a_killed_holder(deployment: Deployment, tmp_path: Path) -> None:
    holder = Holder(deployment, tmp_path)
    below = kill_controller(holder.process)
    wait_until(lambda: lock_is_free(deployment), "the lock is free", 60)
    holder.signal.touch()
    for process in below:
        wait_until(lambda process=process: not process.is_running() or process.status() == "zombie", "it ends")
    assert not (deployment.path / "data" / "late").exists()
    deployment.run("provision").ok()


def test_ten_provisions_at_once(deployment: Deployment) -> None:
    runs = [deployment.start("provision", "--forks", "1", matcha_stack="small") for _number in range(10)]
    ended = [(run.communicate()[0], run.returncode) for run in runs]
    good = [output for output, status in ended if status == 0]
    told = [output for output, status in ended if status and "The deployment is locked by" in " ".join(output.split())]
    assert (len(good), len(told)) == (1, 9), "\n\n".join(output for output, _status in ended)
    deployment.assert_healthy("dvc", "chroma")


def test_two_first_runs_at_once_find_different_ports() -> None:
    home = new_home()
    for first in made(home, prefix="first", stack="only-chroma"):
        second = Deployment(home, prefix="second", stack="only-chroma")
        try:
            runs = [first.start("provision"), second.start("provision")]
            for run in runs:
                output, _nothing = run.communicate()
                assert run.returncode == 0, output
            assert first.port("chroma") != second.port("chroma")
            # One destroyed, the other untouched.
            processes, before = {p.pid for p in second.processes()}, second.snapshot()
            first.destroy()
            assert not first.path.exists()
            assert {p.pid for p in second.processes()} == processes
            assert second.snapshot() == before
            second.assert_healthy("chroma")
        finally:
            second.destroy()
