.PHONY: setup test format

setup:            ## everything that the tests use, in .venv
	sh scripts/setup.sh dev

test: setup       ## what CI runs
	sh scripts/test.sh

format:           ## what `make test` would complain about, mended where a tool can
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .
