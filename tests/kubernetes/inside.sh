#!/usr/bin/env bash
# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The test node's first process. It runs in namespaces of its own (mount, network, process, IPC, host name), puts
# mounts and network there as a node needs them, tells so in a file, and then waits, and buries orphans. When it
# ends, the kernel ends all that runs in the node, and mounts and network are gone.
#
# Everything is given in the environment: NODE_FOLDER NODE_NAME NODE_ADDRESS NODE_CIDR NODE_ALIASES NODE_SERVICES
# NODE_POD
set -euo pipefail

# What pods ask to be shared with the node is shared in here only.
mount --make-rprivate /
mount --make-rshared /

resolver=$(readlink -m /etc/resolv.conf)
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir -p /run/lock /run/upper /run/work
# Programs insist on some folders in there, which the machine need not have and should not get.
mount -t overlay -o lowerdir=/var/lib,upperdir=/run/upper,workdir=/run/work overlay /var/lib
mkdir -p /var/lib/cni
mount --bind "$NODE_FOLDER/cni" /var/lib/cni
if [[ $resolver == /run/* ]]; then
    mkdir -p "$(dirname "$resolver")"
    touch "$resolver"
fi
if [[ -e $resolver ]]; then
    mount --bind "$NODE_FOLDER/config/resolv.conf" "$resolver"
fi
mount --bind "$NODE_FOLDER/config/hosts" /etc/hosts

# The kubelet sets these where they are otherwise; they belong to the whole machine, so it is shown them as it wants.
shown() {
    [[ -e /proc/sys/$1 ]] || return 0
    printf '%s\n' "$2" >"/run/shown-${1//\//-}"
    mount --bind "/run/shown-${1//\//-}" "/proc/sys/$1"
}
shown vm/overcommit_memory 1
shown vm/panic_on_oom 0
shown kernel/panic 10
shown kernel/panic_on_oops 1
shown kernel/keys/root_maxkeys 1000000
shown kernel/keys/root_maxbytes 25000000

printf '%s\n' "$NODE_NAME" >/proc/sys/kernel/hostname
printf '1\n' >/proc/sys/net/ipv4/ip_forward
# Answers of a service's pod to another pod on the same bridge have to pass through the address translation.
for name in bridge-nf-call-iptables bridge-nf-call-ip6tables; do
    if [[ -e /proc/sys/net/bridge/$name ]]; then printf '1\n' >"/proc/sys/net/bridge/$name"; fi
done
ip link set lo up
ip link add node0 type bridge
ip address add "$NODE_ADDRESS/$NODE_CIDR" dev node0
for alias in $NODE_ALIASES; do ip address add "$alias/32" dev node0; done
ip link set node0 up
# The API server asks webhooks by their service's address, which is translated once it is on its way.
ip route add "$NODE_SERVICES" dev node0

touch "$NODE_FOLDER/run/inside"
exec "$NODE_POD" pause
