#!/usr/bin/env bash
# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# As many open files as a server with many clients needs, where that is allowed.
ulimit -n 65535 2>/dev/null
exec "$@"
