#!/bin/sh
# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Like upstream's: run what is in /docker-entrypoint.d, in the order of its names, then nginx.
set -e
if [ "$1" = nginx ]; then
    for file in /docker-entrypoint.d/*; do
        case $file in
            *.envsh) [ ! -x "$file" ] || . "$file" ;;
            *.sh) [ ! -x "$file" ] || "$file" ;;
        esac
    done
fi
exec "$@"
