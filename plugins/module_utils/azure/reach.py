# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether something listens at an address, as seen from this machine, such as a private API server."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from ..errors import MatchaError
from .preflight_rows import Row

INSIDE = "Run this on a machine within that network, such as a jump host, or connect to it by VPN or peering"


def reach(endpoint: str, timeout: float) -> Row:
    """Connect, and hang up. Raises ``MatchaError`` where the text is no address."""
    host, port = _address(endpoint)
    label = f"endpoint {host}:{port}"
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return Row(label, True, "answers")
    except socket.gaierror:
        return Row(
            label, False, "its name is not known here", f"{INSIDE}, and see that private DNS names resolve there."
        )
    except ConnectionRefusedError:
        return Row(label, False, "refuses the connection", "See that the server runs, and that the port is right.")
    # Two classes before Python 3.10.
    except (TimeoutError, socket.timeout):
        advice = f"{INSIDE}; look at firewalls and authorized ranges."
        return Row(label, False, f"does not answer within {timeout:g} s", advice)
    except OSError as error:
        return Row(label, False, f"cannot be reached: {error.strerror or error}", f"{INSIDE}.")


def _address(endpoint: str) -> tuple[str, int]:
    """Return host and port of ``host``, ``host:port`` or a URL; the port is 443 if it is not told."""
    try:
        parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
        host, port = parts.hostname, parts.port or 443
    except ValueError:
        host, port = None, 0
    if not host:
        raise MatchaError(f"'{endpoint}' in endpoints is no address: write host:port.")
    return host, port
