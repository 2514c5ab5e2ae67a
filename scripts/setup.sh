#!/bin/sh
# Make .venv with crossport in it: `sh scripts/setup.sh` for the port, `sh scripts/setup.sh dev` for
# everything that the tests use (torch, triton, jax, libtpu, a clang from pip: about 3 GB).
# Needs Python 3.11 or newer; on Debian it installs python3-venv where that is missing.
set -eu
cd "$(dirname "$0")/.."

python=$(command -v python3.11 || command -v python3 || true)
[ -n "$python" ] || { echo "setup: no python3 found" >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "setup: Python 3.11 or newer is needed, $python is older" >&2; exit 1; }

if [ ! -x .venv/bin/pip ]; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || {
        apt-get update -qq && apt-get install -y -qq python3-venv; } >&2
    "$python" -m venv .venv
fi

pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check "$@"; }

if [ "${1:-}" = dev ]; then
    # torch first and by version: a bare `torch` brings gigabytes of CUDA libraries.
    pip install torch==2.13.0
    pip install -e '.[all,dev]'
else
    pip install -e .
fi
