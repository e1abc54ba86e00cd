# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the images that are missing: `python -m tests.kubernetes.images [NAME…]`; `--lock` locks what is in them."""

from __future__ import annotations

import argparse
import sys
import time

from .build import make, pinned
from .lock import lock


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kubernetes.images", description=__doc__)
    parser.add_argument("names", nargs="*", help="these images alone, e.g. ghcr.io/mlflow/mlflow:v3.14.0-full")
    parser.add_argument(
        "--lock", action="store_true", help="lock again what images have beyond their roles' lock files"
    )
    options = parser.parse_args()
    try:
        if options.lock:
            lock()
            return 0
        for name in options.names or pinned():
            start = time.monotonic()
            size = make(name).stat().st_size
            print(f"{name}  {size / 1e6:.0f} MB  {time.monotonic() - start:.1f} s", flush=True)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
