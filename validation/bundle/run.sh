#!/bin/bash
# Records this bundle on an NVIDIA machine: bash run.sh   (needs nvcc; nothing else).
# Steps: build, check (compute-sanitizer, where present), measure, seal. Default: all of them.
set -u
cd "$(dirname "$0")" || exit 1
mkdir -p results
NVCC=${NVCC:-nvcc}
ARCH=${ARCH:-native}

build() {
  # shellcheck disable=SC2086  # the flags are words
  "$NVCC" -std=c++17 -O2 -arch="$ARCH" -Xcompiler -ffp-contract=off \
    $(cat flags.txt 2>/dev/null) -I. driver.cu -o driver >results/build.log 2>&1
}

check() {
  command -v compute-sanitizer >/dev/null || { echo "absent" >results/sanitizer.txt; return 0; }
  : >results/sanitizer.txt
  for tool in memcheck racecheck; do
    timeout 120 compute-sanitizer --tool "$tool" --error-exitcode 9 \
      ./driver --once --checked >"results/$tool.log" 2>&1
    case $? in
      0) echo "$tool clean" ;;
      9) echo "$tool errors" ;;
      *) echo "$tool failed" ;;
    esac >>results/sanitizer.txt
    # Keep the log only where it says something.
    grep -q "$tool clean" results/sanitizer.txt && rm -f "results/$tool.log"
    [ -f "results/$tool.log" ] && { head -c 4000 "results/$tool.log" >results/t; mv results/t "results/$tool.log"; }
  done
  return 0
}

measure() {
  timeout 300 ./driver --out results >results/run.log 2>&1
}

seal() {
  { "$NVCC" --version | tail -2; nvidia-smi --query-gpu=name,driver_version,vbios_version,clocks.sm,clocks.mem,temperature.gpu --format=csv,noheader; } \
    >results/toolchain.txt 2>&1
  # What the driver prints or the build says is not evidence; empty logs are noise.
  find results -name '*.log' -empty -delete
  find source results driver.cu driver_runtime.h cases.toml manifest.json run.sh flags.txt -type f 2>/dev/null \
    | LC_ALL=C sort | xargs sha256sum >SHA256SUMS
}

for step in ${*:-build check measure seal}; do
  "$step" || { echo "run.sh: step $step failed; see results/" >&2; exit 1; }
done
