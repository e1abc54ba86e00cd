# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# nginx takes neither the DNS server nor the API server from where Kubernetes says them.
set -eu
bracketed() {
    case $1 in
        *:*) printf '[%s]' "$1" ;;
        *) printf '%s' "$1" ;;
    esac
}

servers=
while read -r word value _; do
    [ "$word" != nameserver ] || servers="$servers $(bracketed "$value")"
done </etc/resolv.conf
{
    printf 'resolver%s valid=5s;\n' "$servers"
    printf 'upstream kubernetes {\n  server %s:%s;\n  keepalive 4;\n}\n' \
        "$(bracketed "$KUBERNETES_SERVICE_HOST")" "$KUBERNETES_SERVICE_PORT"
} >/tmp/cluster.conf
exec nginx -e /dev/stderr -c /etc/seldon-router/nginx.conf -g 'daemon off;'
