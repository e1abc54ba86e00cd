# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Use the DVC remote as a client does: push a file from a scratch repository, pull it again.

Needs DVC_REMOTE_URL, and `git`. Is run by the Python of DVC's environment.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "client" / "files"))
sys.dont_write_bytecode = True  # beside the roles; verification.py allows it again

from verification import Verification, VerificationError  # noqa: E402

# In the remote: one empty file for each object that a verification pushed, with its hash as name.
# So an object can be found again after a killed run, among everybody's.
JOURNAL = "matcha-verify"


def body(verification: Verification) -> None:
    """Run the steps."""
    remote_url = verification.setting("DVC_REMOTE_URL")
    os.environ.update(DVC_NO_ANALYTICS="1", CORE_CHECK_UPDATE="false")
    scratch = verification.scratch()
    # DVC writes to its site and user folders too: not to this user's.
    for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        os.environ[name] = str(scratch / "dvc")
    repository = scratch / "repository"
    repository.mkdir()
    os.chdir(repository)

    with verification.step("load the client"):
        from dvc.cli import main
        from dvc.repo import Repo

    def dvc(*arguments: str) -> None:
        if main([*arguments, "--quiet"]):
            raise VerificationError(f"'dvc {' '.join(arguments)}' failed.")

    with verification.step("make a repository"):
        subprocess.run(["git", "init", "--quiet"], check=True)
        dvc("init")
        dvc("remote", "add", "--default", "matcha", remote_url)

    def remove() -> None:
        with Repo(".") as repo:
            odb = repo.cloud.get_remote_odb("matcha")
            journal = odb.fs.join(repo.cloud.get_remote("matcha").path, JOURNAL)
            if not odb.fs.exists(journal):
                return
            for entry in odb.fs.find(journal):
                path = odb.oid_to_path(odb.fs.name(entry))
                if odb.fs.exists(path):
                    odb.fs.remove(path)
                    # Its folder, if nobody else's object is in it.
                    with contextlib.suppress(OSError):
                        odb.fs.rmdir(odb.fs.parent(path))
                odb.fs.remove(entry)
            odb.fs.rmdir(journal)

    verification.finally_do(remove)
    data = repository / "tea.bin"
    content = secrets.token_bytes(256 * 1024)
    with verification.step("push a file"):
        data.write_bytes(content)
        dvc("add", data.name)
        with Repo(".") as repo:
            odb = repo.cloud.get_remote_odb("matcha")
            journal = odb.fs.join(repo.cloud.get_remote("matcha").path, JOURNAL)
            odb.fs.makedirs(journal, exist_ok=True)
            odb.fs.pipe(odb.fs.join(journal, next(iter(repo.index.outs)).hash_info.value), b"")
        dvc("push")
    with verification.step("pull it again"):
        shutil.rmtree(repository / ".dvc" / "cache")
        data.unlink()
        dvc("pull")
        verification.expect(data.read_bytes() == content, True, "That the file came back as it was")


if __name__ == "__main__":
    Verification("dvc").run(body)
