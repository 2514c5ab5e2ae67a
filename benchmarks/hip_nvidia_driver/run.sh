#!/bin/bash
# bash run.sh RESULTS: builds every comparison, runs it, keeps one file of lines a kernel. Needs nvcc.
set -u
cd "$(dirname "$0")" || exit 1
results=$(mkdir -p "${1:-results}" && realpath "${1:-results}")
ARCH=${ARCH:-native}
export ARCH results
start=$(date +%s)

# The device header of cuRAND is a package of its own; take it from wherever it lies.
if ! echo '#include <curand_kernel.h>' | nvcc -x cu -E - >/dev/null 2>&1; then
  header=$(find / -name curand_kernel.h -not -path '/proc/*' 2>/dev/null | head -1)
  [ -n "$header" ] && mkdir -p /tmp/curand_headers && cp "$(dirname "$header")"/curand*.h /tmp/curand_headers/ &&
    export CPLUS_INCLUDE_PATH=/tmp/curand_headers${CPLUS_INCLUDE_PATH:+:$CPLUS_INCLUDE_PATH}
fi

build() {
  # shellcheck disable=SC2046  # the flags are words
  timeout 240 nvcc -std=c++17 -O2 -arch="$ARCH" -Xcompiler -ffp-contract=off -Iinclude -I. \
    $(cat "$1/flags.txt") "$1/compare.cu" -o "$1/compare" >"$results/$1.log" 2>&1 || echo "not built: $1"
}
export -f build
ls -d */ | tr -d / | grep -v include | xargs -P "$(nproc)" -I{} bash -c 'build {}'
echo "built after $(($(date +%s) - start)) s"
for program in */compare; do
  name=${program%/compare}
  [ $(($(date +%s) - start)) -gt "${LIMIT:-480}" ] && { echo "stopped at $name"; break; }
  mkdir -p "$results/outputs/$name"
  timeout 60 "$program" --out "$results/outputs/$name" >"$results/$name.jsonl" 2>>"$results/$name.log" || echo "$name ended with $?"
  rm -f "$results/outputs/$name/device.json.part"; mv -f "$results/outputs/$name/device.json" "$results/device.json" 2>/dev/null
done
find "$results" -empty -delete
nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem --format=csv,noheader >"$results/device.txt" 2>/dev/null
nvcc --version | tail -2 >>"$results/device.txt"
echo "done after $(($(date +%s) - start)) s"
