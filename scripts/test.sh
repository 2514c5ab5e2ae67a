#!/bin/sh
# Everything that must be quiet before a change lands: format, lint, types, layers, tests.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
ruff format --check .
ruff check .
lint-imports
mypy
# Two at a time: the emulator's opcode tests are many, and each worker keeps its own device.
pytest -q -rs -n 2 --dist worksteal "$@"
