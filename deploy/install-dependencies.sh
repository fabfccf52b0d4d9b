#!/usr/bin/env bash
# Installs what Sluice needs from Debian 12 and nothing that is already there.
#
#   deploy/install-dependencies.sh [build|test|compare|all]      # default: all
#
#   build     libraries and tools to build the gateway
#   test      what the tests talk to besides
#   compare   what `make compare` measures with and against, besides
#   all       build and test
#
# Runs as root or through sudo. On a machine that has everything it asks apt nothing, so it costs nothing to run before
# every build. The Swift toolchain is not in Debian: it is looked for, and a missing one is an error.
set -euo pipefail

fail() {
    echo "$*" >&2
    exit 1
}

# The toolchain brings its own clang, but takes the headers and libraries of C and C++ and the assembler from Debian.
readonly build_packages=(
    libcurl4-openssl-dev libssl-dev libsimdjson-dev libhiredis-dev zlib1g-dev
    libc6-dev libstdc++-12-dev binutils
    make git curl ca-certificates
)
readonly test_packages=(nginx openssl redis-server prometheus python3 python3-venv chromium faketime)
readonly compare_packages=("${test_packages[@]}" haproxy wrk util-linux libnginx-mod-http-lua lua-cjson valgrind)

case "${1:-all}" in
    build) wanted=("${build_packages[@]}") ;;
    test) wanted=("${test_packages[@]}") ;;
    compare) wanted=("${compare_packages[@]}") ;;
    all) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
    *) fail "usage: deploy/install-dependencies.sh [build|test|compare|all]" ;;
esac

"$(dirname "${BASH_SOURCE[0]}")/find-swift.sh" >/dev/null

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    fail "This script knows only Debian's apt-get: install the equivalents of ${wanted[*]} by hand."
fi

missing=()
for package in "${wanted[@]}"; do
    status="$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" || status=""
    if [[ "$status" != installed ]]; then
        missing+=("$package")
    fi
done
if ((${#missing[@]} == 0)); then
    exit 0
fi

as_root=()
if ((EUID != 0)); then
    command -v sudo >/dev/null ||
        fail "Installing ${missing[*]} needs root: run this as root, or install sudo."
    as_root=(sudo)
    # Without a terminal sudo could only wait for a password that nobody types.
    if [[ ! -t 0 ]]; then
        as_root+=(--non-interactive)
    fi
    "${as_root[@]}" true ||
        fail "Installing ${missing[*]} needs root and sudo refused: run this as root."
fi

# Debian starts a service as soon as its package is installed, and an nginx on port 80 is not what a build should leave
# behind. The package scripts ask policy-rc.d first; 101 means "do not start". A policy that is already there is kept.
readonly policy=/usr/sbin/policy-rc.d
remove_policy() {
    "${as_root[@]}" rm -f "$policy"
}
if [[ ! -e "$policy" ]]; then
    trap remove_policy EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
fi

apt_get() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get --quiet --yes -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

echo "Installing ${missing[*]}"
apt_get update
apt_get install --no-install-recommends "${missing[@]}"

# Nor at the next boot: whoever needs one starts its own, with its own configuration.
for service in nginx haproxy redis-server prometheus; do
    if [[ " ${missing[*]} " == *" $service "* ]] && command -v systemctl >/dev/null; then
        "${as_root[@]}" systemctl disable --quiet "$service.service" || true
    fi
done
