# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every image has in /etc: its users, and whom it trusts: the public authorities and the rehearsal's."""

from __future__ import annotations

from tests.kubernetes.packages import packages

from .authority import certificate

BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def bundle() -> bytes:
    """Return the authorities that Debian trusts, and ours, as one file."""
    folder = packages(["ca-certificates"]) / "usr/share/ca-certificates"
    return b"".join([*(path.read_bytes() for path in sorted(folder.rglob("*.crt"))), certificate()])


def plain_files(user: str = "nonroot", number: int = 65532) -> dict[str, bytes]:
    """Return the files that are in /etc of every image."""
    passwd = [
        "root:x:0:0:root:/root:/bin/bash",
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
        f"{user}:x:{number}:{number}::/home/{user}:/bin/bash",
    ]
    groups = ["root:x:0:", "tty:x:5:", "nogroup:x:65534:", f"{user}:x:{number}:"]
    return {
        "etc/passwd": "\n".join([*passwd, ""]).encode(),
        "etc/group": "\n".join([*groups, ""]).encode(),
        "etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files dns\n",
        BUNDLE: bundle(),
    }
