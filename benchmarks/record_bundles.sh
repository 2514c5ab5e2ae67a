#!/bin/bash
# Record a folder of bundles on an NVIDIA machine, many at a time where that does not disturb.
#   bash benchmarks/record_bundles.sh BUNDLES RESULTS [phase...]     phases: build check measure ncu
# Each phase's results are archived under RESULTS as soon as they exist.
set -u
bundles=$(realpath "$1")
results=$(realpath "$2")
shift 2
here=$(cd "$(dirname "$0")" && pwd)
export ARCH=${ARCH:-sm_90}
start=$(date +%s)
say() { echo "[$(($(date +%s) - start)) s] $*"; }

# The device header of cuRAND is a package of its own; take it from wherever it lies.
if ! echo '#include <curand_kernel.h>' | nvcc -x cu -E - >/dev/null 2>&1; then
  header=$(find / -name curand_kernel.h -not -path '/proc/*' 2>/dev/null | head -1)
  if [ -n "$header" ]; then
    mkdir -p /tmp/curand_headers && cp "$(dirname "$header")"/curand*.h /tmp/curand_headers/
    export CPLUS_INCLUDE_PATH=/tmp/curand_headers${CPLUS_INCLUDE_PATH:+:$CPLUS_INCLUDE_PATH}
  fi
fi

archive() {
  tar -C "$bundles" --exclude=driver -cJf "$results/bundles.tar.xz" . && say "archived after $1"
}

cd "$bundles" || exit 1
for phase in ${*:-build check measure ncu}; do
  case $phase in
    build)
      ls | xargs -P "$(nproc)" -I{} bash {}/run.sh build
      say "built $(ls */driver | wc -l) of $(ls | wc -l)"
      ;;
    check)
      ls */driver | xargs -n1 dirname | xargs -P "$(nproc)" -I{} bash {}/run.sh check
      say "checked"; cat */results/sanitizer.txt | sort | uniq -c
      ;;
    measure)
      for b in */driver; do bash "${b%/driver}/run.sh" measure || tail -2 "${b%/driver}/results/run.log"; done
      say "measured"
      ls */driver | xargs -n1 dirname | xargs -P 8 -I{} bash {}/run.sh seal
      archive measure
      ;;
    ncu)
      mkdir -p "$results/ncu"
      metrics=$(grep -v '^#' "$here/ncu_metrics.txt" | paste -sd,)
      for b in */driver; do
        name=${b%/driver}
        [ "$name" = dynamic_parallelism ] && continue  # ncu refuses programs that launch from kernels
        timeout 60 ncu --clock-control none --csv --page raw --metrics "$metrics" \
          --log-file "$results/ncu/$name.csv" "$b" --once >/dev/null 2>&1 || say "ncu failed on $name"
        "$b" --list >"$results/ncu/$name.cases"
        [ $(($(date +%s) - start)) -gt "${LIMIT:-560}" ] && { say "stopped at $name"; break; }
      done
      tar -C "$results" -cJf "$results/ncu.tar.xz" ncu && rm -rf "$results/ncu"
      say "counters read"
      ;;
  esac
done
