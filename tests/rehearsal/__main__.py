# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rehearsal to look at: `python -m tests.rehearsal up --stack llm`, and `down`.

`up` brings up a simulated Azure, a database and a cluster in the background, provisions onto them as a user does, and
says how to look at it all. A second `up` provisions again.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from tests.kubernetes.caches import cache_folder

from . import user
from .world import World

ROOT = user.ROOT
BIN = ROOT / ".venv" / "bin"
# Where the one rehearsal of this user is.
POINTER = "rehearsal.json"
START_TIMEOUT = 60


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring everything up, provision, and leave it running")
    up.add_argument("--stack", default="")
    up.add_argument("--prefix", default="matcha")
    up.add_argument("--location", default=user.LOCATION)
    up.add_argument("--speed", type=float, default=20.0, help="how many of Azure's seconds pass in a second")
    up.add_argument("arguments", nargs="*", help="more arguments of ansible-playbook, after --")
    commands.add_parser("down", help="remove everything")
    serve = commands.add_parser("serve", help="what `up` starts in the background")
    serve.add_argument("folder", type=Path)
    serve.add_argument("--speed", type=float, required=True)
    options = parser.parse_args()
    return {"up": go_up, "down": go_down, "serve": go_serve}[options.command](options)


def pointer() -> Path:
    return cache_folder() / POINTER


def found() -> dict[str, Any]:
    """Return what is known of the rehearsal that runs; nothing if none does."""
    try:
        known: dict[str, Any] = json.loads(pointer().read_text("utf-8"))
        command = psutil.Process(known["pid"]).cmdline()
    except (OSError, ValueError, psutil.Error):
        return {}
    return known if known["folder"] in command else {}


def go_serve(options: argparse.Namespace) -> int:
    """Run until a signal comes."""
    world = World(options.folder, speed=options.speed)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        write(
            pointer(), json.dumps({"pid": os.getpid(), "folder": str(options.folder), "environment": world.environment})
        )
        ended.wait()
    finally:
        world.close()
        pointer().unlink(missing_ok=True)
    return 0


def write(path: Path, content: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    new.rename(path)


def begin(speed: float) -> dict[str, Any]:
    """Start what serves in the background, and return what is known of it."""
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-"))
    command = [sys.executable, "-m", "tests.rehearsal", "serve", str(folder), "--speed", str(speed)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    end = time.monotonic() + START_TIMEOUT
    while not (known := found()):
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"The rehearsal does not start:\n{(folder / 'log').read_text('utf-8')[-3000:]}")
        time.sleep(0.1)
    return known


def go_up(options: argparse.Namespace) -> int:
    subprocess.run([ROOT / "tools" / "bootstrap"], check=True)
    known = found() or begin(options.speed)
    folder = Path(known["folder"])
    stack = {"matcha_stack": options.stack} if options.stack else {}
    values = user.variables(folder, matcha_location=options.location, matcha_prefix=options.prefix, **stack)
    environment = user.environment(folder, known["environment"])
    write(folder / "variables.json", json.dumps(values))
    write(folder / "environment", "".join(f"export {k}={shlex.quote(v)}\n" for k, v in environment.items()))
    command = [BIN / "ansible-playbook", "playbooks/provision.yml", "-e", f"@{folder / 'variables.json'}"]
    done = subprocess.run(
        [*command, *options.arguments], cwd=ROOT, env={**os.environ, **environment}, check=False
    ).returncode
    print(told(folder, options.prefix))
    return done


def told(folder: Path, prefix: str) -> str:
    """Say how to look at it."""
    variables = f"-e @{folder / 'variables.json'}"
    return f"""
It runs until `make rehearse-down`. What is wrong with it, if anything, is in {folder / "log"}.
In this shell, Azure is the simulated one (a new shell is as before):

  . {folder / "environment"}

kubectl:   az aks get-credentials -g {prefix}-resources -n {prefix}-k8s --admin --file $KUBECONFIG
           kubectl get pods -A
az:        tools/bootstrap azcli
           build/venv-azcli/bin/az login --service-principal -t $AZURE_TENANT_ID -u $AZURE_CLIENT_ID \\
             -p $AZURE_CLIENT_SECRET
           build/venv-azcli/bin/az resource list -g {prefix}-resources -o table
browser:   .venv/bin/ansible-playbook connect.yml {variables}
clients:   .venv/bin/ansible-playbook verify.yml {variables}
passwords: .venv/bin/ansible-playbook outputs.yml {variables} -e matcha_show_sensitive=true
"""


def go_down(options: argparse.Namespace) -> int:
    del options
    known = found()
    if not known:
        print("No rehearsal is running.")
        return 0
    process = psutil.Process(known["pid"])
    process.terminate()
    process.wait(300)
    shutil.rmtree(known["folder"], ignore_errors=True)
    print("The rehearsal is gone, with all its data.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
