#!/usr/bin/env bash
# Proves the runtime stage of the Dockerfile on a machine without a container engine: a root of Debian 12 with the packages
# that the Dockerfile names, the executable as a user without rights, on a read-only root, with no shell to start.
#
#   deploy/docker/verify.sh [FOLDER]      # where `make dist` left `sluice` and `mock-azure`; default .build-dist
#   BASE=FOLDER deploy/docker/verify.sh   # keeps the bare Debian there, and takes it from there the next time
#
# Needs root, and Debian's debootstrap, which it installs. Prints what it measured; exit 0 if every statement held.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
binaries="$(realpath "${1:-$here/../../.build-dist}")"
readonly here binaries
readonly user=10001:10001

# What the image may cost. The time is from the first instruction of the launcher, so it includes making the namespace.
readonly most_megabytes=120
readonly most_start_milliseconds=300
readonly most_rest_kibibytes=$((40 * 1024))

fail() {
    echo "verify: $*" >&2
    for log in "$work"/*.log; do
        [[ -s "$log" ]] && { echo "--- the end of ${log##*/}"; tail -n 20 "$log"; } >&2
    done
    exit 1
}
say() {
    printf 'ok  %s\n' "$*"
}

((EUID == 0)) || { echo "verify: needs root, for chroot and a mount namespace" >&2; exit 1; }
command -v debootstrap >/dev/null || apt-get install --quiet --yes --no-install-recommends debootstrap >/dev/null

work="$(mktemp -d "${TMPDIR:-/tmp}/sluice-verify.XXXXXXXX")"
: >"$work/answer"
pids=()
clean_up() {
    local status=$?
    trap - EXIT
    for pid in "${pids[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    # Mounts were made in namespaces that ended with their processes; what is left are plain files.
    rm -rf --one-file-system "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

packages="$(sed -n 's/^ARG RUNTIME_PACKAGES="\(.*\)"$/\1/p' "$here/Dockerfile")"
[[ -n "$packages" ]] || fail "the Dockerfile names no RUNTIME_PACKAGES"

base="${BASE:-$work/base}"
if [[ ! -d "$base/etc" ]]; then
    debootstrap --variant=minbase bookworm "$base" >"$work/debootstrap.log" 2>&1 || fail "debootstrap failed"
fi
root="$work/root"
cp -a "$base" "$root"
# What the slim image leaves out of every package.
cat >"$root/etc/dpkg/dpkg.cfg.d/slim" <<'SLIM'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
SLIM

apt_in_root() {
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount bash -c '
        root=$1; shift
        mount -t proc proc "$root/proc"
        TMPDIR=/tmp DEBIAN_FRONTEND=noninteractive exec chroot "$root" apt-get --quiet --yes "$@"
    ' bash "$root" "$@" >>"$work/apt.log" 2>&1 </dev/null || fail "apt-get $1 failed in the root"
}
kibibytes() {
    du --summarize --one-file-system "$root" | cut -f 1
}
apt_in_root update
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
before="$(kibibytes)"
apt_in_root update
# shellcheck disable=SC2086 # a list of packages
apt_in_root install --no-install-recommends $packages
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/*
after_packages="$(kibibytes)"
install -D --mode=0755 "$binaries/sluice" "$root/usr/local/bin/sluice"
after="$(kibibytes)"

megabytes=$(((after - before) * 1024 / 1000000))
((megabytes <= most_megabytes)) || fail "$megabytes MB over the base, more than $most_megabytes"
say "$megabytes MB over the base: $(((after_packages - before) * 1024 / 1000000)) MB of packages," \
    "$(((after - after_packages) * 1024 / 1000000)) MB of sluice"

libraries="$(chroot "$root" /lib64/ld-linux-x86-64.so.2 --list /usr/local/bin/sluice)" ||
    fail "a library is missing: $libraries"
! grep -q 'not found\|libswift\|libFoundation' <<<"$libraries" || fail "not in the image: $libraries"
say "every library is there, and none of Swift is needed ($(wc -l <<<"$libraries") libraries)"

"$binaries/mock-azure" --listen 127.0.0.1:0 >"$work/mock-azure.log" 2>&1 </dev/null &
mock=$!
pids+=("$mock")
upstream=""
for ((try = 0; try < 200; try++)); do
    upstream="$(sed -n 's/^mock-azure listening on \([0-9.]*:[0-9]*\).*/\1/p' "$work/mock-azure.log")"
    [[ -z "$upstream" ]] || break
    kill -0 "$mock" 2>/dev/null || fail "mock-azure has ended"
    sleep 0.05
done
[[ -n "$upstream" ]] || fail "mock-azure does not listen"

mkdir -p "$root/etc/sluice"
cat >"$root/etc/sluice/sluice.yaml" <<CONFIG
listen: 127.0.0.1:0
admin: 127.0.0.1:0
server:
  drain: {lame_duck: 0s, grace: 5s}
clients:
  - {name: team-a, api_keys: [key-of-team-a]}
endpoints:
  - {name: mock, url: "http://$upstream", api_key: mock-key}
models:
  - {name: gpt-4o, deployments: [{endpoint: mock, deployment: gpt-4o}]}
CONFIG

# In a mount namespace of its own: the root read-only, /proc, and nothing where the shells were.
cat >"$work/contain" <<'CONTAIN'
set -e
root=$1 user=$2
shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --bind /dev/null "$root/usr/bin/dash"
mount --bind /dev/null "$root/usr/bin/bash"
mount -o remount,ro,bind "$root"
exec chroot --userspec="$user" "$root" "$@"
CONTAIN
contain() {
    local as="$1"
    shift
    unshare --mount bash "$work/contain" "$root" "$as" "$@"
}

! contain 0:0 /usr/bin/touch /written 2>/dev/null || fail "root can write to the root file system"
! contain "$user" /bin/sh -c : 2>/dev/null || fail "there is a shell to start"
say "the root is read-only even for root, and has no shell to start"

# The ports that it took are in its log: it can write no file.
listening() {
    sed -n "s/.*\"message\":\"listening\".*\"$1\":\"\([0-9.:]*\)\".*/\1/p" "$work/sluice.log"
}
ask() {
    local data
    data="$(listening data)"
    [[ -n "$data" ]] || return 0
    curl --silent --noproxy '*' --max-time 10 --output "$work/answer" --write-out '%{http_code}' \
        --header 'api-key: key-of-team-a' --header 'content-type: application/json' \
        --data '{"messages":[{"role":"user","content":"What does a sluice do?"}]}' \
        "http://$data/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21" || true
}

# Three starts: the first one reads the executable from disk.
best=""
for ((start = 1; start <= 3; start++)); do
    : >"$work/sluice.log"
    began="$(date +%s%N)"
    # Not by the function: that would be a shell of its own, and its id not the gateway's.
    unshare --mount bash "$work/contain" "$root" "$user" /usr/local/bin/sluice serve --config /etc/sluice/sluice.yaml \
        >"$work/sluice.log" 2>&1 </dev/null &
    gateway=$!
    pids+=("$gateway")
    until [[ "$(ask)" == 200 ]]; do
        kill -0 "$gateway" 2>/dev/null || fail "sluice has ended"
        (($(date +%s%N) - began < 30000000000)) || fail "no request was served; the last answer: $(cat "$work/answer")"
        sleep 0.005
    done
    took=$((($(date +%s%N) - began) / 1000000))
    grep -q '"choices"' "$work/answer" || fail "the answer has no choices"
    echo "    start $start: first request served after $took ms"
    best=$((${best:-took} < took ? ${best:-took} : took))
    if ((start < 3)); then
        kill -TERM "$gateway"
        wait "$gateway" || fail "sluice did not end with status 0"
    fi
done
((best <= most_start_milliseconds)) || fail "the first request took $best ms, more than $most_start_milliseconds"
say "start to first served request: $best ms (the best of three)"

status="/proc/$gateway/status"
grep -q '^Uid:[[:space:]]10001[[:space:]]10001[[:space:]]10001' "$status" || fail "it does not run as 10001"
grep -q '^CapEff:[[:space:]]0*$' "$status" || fail "it has capabilities: $(grep CapEff "$status")"
say "it runs as 10001 with no capability"

admin="$(listening admin)"
contain "$user" /usr/local/bin/sluice health --admin "$admin" || fail "sluice health says no"
! contain "$user" /usr/local/bin/sluice health --admin 127.0.0.1:1 2>/dev/null || fail "sluice health says yes to nobody"
say "sluice health: exit 0 while it runs, 1 where nobody listens"

rest="$(awk '/^VmRSS:/ { print $2 }' "$status")"
((rest <= most_rest_kibibytes)) || fail "$rest KiB at rest, more than $most_rest_kibibytes"
say "memory at rest after one request: $((rest / 1024)) MiB ($rest KiB)"

kill -TERM "$gateway"
wait "$gateway" || fail "sluice did not end with status 0"
say "SIGTERM ends it with status 0"
contain "$user" /usr/local/bin/sluice --version | sed 's/^/ok  version /'
