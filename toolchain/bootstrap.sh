#!/usr/bin/env bash
# Install what the project needs before any of its Python can run: Debian packages, uv, the virtual environment.
# Run again at any time; with nothing to do it takes about a second.  An argument is another list of Debian packages.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly uv_version=0.13.9
readonly package_lists=(toolchain/debian-packages.txt "$@")

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

missing_packages() {
    local name command
    while read -r name command; do
        case "$name" in '' | '#'*) continue ;; esac
        if [[ -n $command ]] && command -v "$command" >/dev/null; then continue; fi
        [[ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null || true)" == installed ]] || printf '%s\n' "$name"
    done < <(cat "${package_lists[@]}")
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]})) || return 0
    if ((EUID != 0)); then
        printf 'setup: the lab and the builds need Debian packages that are missing; install them with:\n  sudo apt-get install %s\n' \
            "${missing[*]}" >&2
        return 0
    fi
    printf 'setup: installing Debian packages: %s\n' "${missing[*]}" >&2
    # A service that a package brings is not wanted on this machine: only its program is.
    local policy=/usr/sbin/policy-rc.d made_policy=
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 0755 "$policy"
        made_policy=yes
    fi
    local status=0
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1 || status=$?
    [[ -z $made_policy ]] || rm -f "$policy"
    ((status == 0)) || fail "apt-get could not install the packages above; its output is in $log. Mend that and run make again."
}

find_uv() {
    local candidate
    for candidate in "$(command -v uv || true)" .state/bootstrap/bin/uv; do
        if [[ -n $candidate && -x $candidate && "$("$candidate" --version 2>/dev/null)" == "uv $uv_version"* ]]; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    printf 'setup: installing uv %s into .state/bootstrap\n' "$uv_version" >&2
    python3 -m venv .state/bootstrap >&2 || fail "python3 cannot make a virtual environment; on Debian: apt-get install python3-venv"
    .state/bootstrap/bin/pip install --quiet "uv==$uv_version" >&2 || fail "uv $uv_version could not be installed from the package index; is it reachable?"
    printf '%s\n' .state/bootstrap/bin/uv
}

mkdir -p .state
chmod 0700 .state
readonly log=$PWD/.state/apt.log
if command -v dpkg-query >/dev/null; then install_packages; fi
command -v python3 >/dev/null || fail "python3 was not found; version 3.11 or 3.12 is needed. On Debian: apt-get install python3 python3-venv"
python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' ||
    fail "$(python3 --version) was found; 3.11 or 3.12 is needed, because TensorFlow and OpenVINO are pinned for these."
uv=$(find_uv)
[[ -d .venv ]] || printf 'setup: installing the Python packages of uv.lock into .venv (2.3 GB with TensorFlow; a minute when cached)\n' >&2
# By its version and not by its path: one that pyenv gives is a shim, which uv would take for another Python every time.
python_version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
sync_options=(--quiet --frozen --no-python-downloads --python "$python_version")
"$uv" sync "${sync_options[@]}"
# Python compiles a module at its first import, and at every one where it may not keep the result: compiled here once, the
# program starts in half the time.
if [[ ! .venv/compiled -nt uv.lock ]]; then
    "$uv" sync "${sync_options[@]}" --compile-bytecode
    touch .venv/compiled
fi
.venv/bin/python -m protos.build --if-stale
