# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the test cluster in the background: `python -m tests.kubernetes up`, `status`, `import TAR…`, `down`."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from pathlib import Path

from tests.kubernetes.caches import cache_folder
from tests.kubernetes.cluster import Cluster, start
from tests.kubernetes.components import Settings
from tests.kubernetes.layout import ISSUER, alive
from tests.kubernetes.processes import NodeError


def up(cluster: Cluster, options: argparse.Namespace) -> None:
    if not _runs(cluster):
        hosts = dict(pair.split("=", 1) for pair in options.host)
        start(cluster.folder, Settings(options.issuer, options.authentication_config, hosts), owned=False)
    print(f"export KUBECONFIG={shlex.quote(str(cluster.kubeconfig))}")


def down(cluster: Cluster, _options: argparse.Namespace) -> None:
    cluster.down()
    if (cluster.folder / "state.json").exists():
        shutil.rmtree(cluster.folder)
    print("The test cluster is removed.")


def status(cluster: Cluster, _options: argparse.Namespace) -> None:
    if not _runs(cluster):
        print("No test cluster runs.")
        return
    daemons = cluster.status()
    print(f"{cluster.server} (Kubernetes {cluster.version}): {'running' if daemons else 'stopped'}")
    for name, running in daemons.items():
        print(f"  {name}: {'running' if running else f'ended, see {cluster.logs / name}.log'}")
    print(f"export KUBECONFIG={shlex.quote(str(cluster.kubeconfig))}")


def import_images(cluster: Cluster, options: argparse.Namespace) -> None:
    for tar in options.tar:
        print(*cluster.import_image(tar), sep="\n")


def _runs(cluster: Cluster) -> bool:
    pid = cluster.layout.read().get("pid")
    return bool(pid) and alive(pid)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kubernetes", description="A single-node Kubernetes.")
    parser.add_argument("--folder", type=Path, default=cache_folder() / "cluster", help="where it keeps its data")
    commands = parser.add_subparsers(required=True)
    create = commands.add_parser("up", help="start it, and print what to export; nothing if it runs")
    create.add_argument(
        "--host", action="append", default=[], metavar="NAME=ADDRESS", help="a name that pods can ask for"
    )
    create.add_argument("--issuer", default=ISSUER, help="of service accounts' tokens")
    create.add_argument("--authentication-config", metavar="FILE", help="whose other tokens the API server accepts")
    create.set_defaults(do=up)
    commands.add_parser("down", help="remove it with all its data").set_defaults(do=down)
    commands.add_parser("status", help="tell what runs").set_defaults(do=status)
    load = commands.add_parser("import", help="import images")
    load.add_argument("tar", nargs="+")
    load.set_defaults(do=import_images)
    for name in ("stop", "start", "reset"):
        one = commands.add_parser(name, help=f"{name} it")
        one.set_defaults(do=lambda cluster, _options, name=name: getattr(cluster, name)())
    options = parser.parse_args()
    try:
        options.do(Cluster(options.folder.absolute()), options)
    except NodeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
