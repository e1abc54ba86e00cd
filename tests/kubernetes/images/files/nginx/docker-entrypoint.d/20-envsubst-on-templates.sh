#!/bin/sh
# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Fill in templates. Only names that are in the environment are replaced: nginx has variables of its own.
set -e
templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
[ -d "$templates" ] || exit 0
if [ ! -w "$output" ]; then
    echo "$0: $templates exists, but $output cannot be written to" >&2
    exit 0
fi
names=$(env | sed -n "s/^\(${NGINX_ENVSUBST_FILTER:-[A-Za-z0-9_]*}\)=.*/\${\1}/p")
find "$templates" -follow -type f -name "*$suffix" | while read -r template; do
    target=$output/${template#"$templates/"}
    target=${target%"$suffix"}
    mkdir -p "$(dirname "$target")"
    envsubst "$names" <"$template" >"$target"
done
