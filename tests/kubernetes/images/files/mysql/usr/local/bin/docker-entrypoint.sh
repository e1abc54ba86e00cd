#!/usr/bin/env bash
# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# There is no server in this image: only what a client needs.
set -e
if [[ ${1:-mysqld} == mysqld || ${1:-} == -* ]]; then
    echo "This stand-in for the image mysql has no server: run mysql, mysqladmin or mysqldump." >&2
    exit 1
fi
exec "$@"
