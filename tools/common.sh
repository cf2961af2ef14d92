#===- common.sh - What quickstart and check share -------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
#
# To be sourced by bash, in the root folder, after `set -euo pipefail`. The
# sourcing script sets `tool` to its name.

fail() {
  printf '%s: error: %s\n' "$tool" "$1" >&2
  exit 1
}

# Processors that may be used: a container or taskset may allow fewer.
jobs=$(nproc)
# Compiling a file that includes much of MLIR takes up to 1 GB.
memory_gb=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo 2>/dev/null) || true
if [[ -n $memory_gb ]] && ((memory_gb < jobs)); then
  jobs=$((memory_gb > 0 ? memory_gb : 1))
fi

# with_progress WHAT PATTERN LOG COMMAND...
# Runs a command with its output in LOG and shows, as it works, the last text in
# LOG that matches PATTERN (a regular expression with a group) and the seconds:
# on a terminal in place, else a line now and then. Returns the exit status.
with_progress() {
  local what=$1 pattern=$2 log=$3 start=$SECONDS shown=0 state pid status=0
  shift 3
  mkdir -p "$(dirname "$log")"
  # In a session of its own, so that an interrupted script can end all of it.
  setsid "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  trap 'kill -- "-$pid" 2>/dev/null; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    state=$(tail -n 40 "$log" | sed -nE "s~.*$pattern.*~\1~p" | tail -n 1)
    if [[ -t 1 ]]; then
      printf '\r%s: %s, %d s \033[K' "$what" "${state:-starting}" $((SECONDS - start))
    elif ((SECONDS - start >= shown + 30)); then
      shown=$((SECONDS - start))
      printf '%s: %s, %d s\n' "$what" "${state:-starting}" "$shown"
    fi
  done
  wait "$pid" || status=$?
  trap - INT TERM
  [[ ! -t 1 ]] || printf '\r'
  if ((status == 0)); then
    printf '%s: done, %d s' "$what" $((SECONDS - start))
  else
    printf '%s: failed, %d s' "$what" $((SECONDS - start))
  fi
  if [[ -t 1 ]]; then printf '\033[K'; fi
  printf '\n'
  return "$status"
}

# build PRESET TARGET...
# Configures a preset and builds targets. Stops the script, with the errors and
# the place of the log, if that fails.
build() {
  local preset=$1 log=build/$1/build.log
  shift
  command -v cmake >/dev/null && command -v ninja >/dev/null ||
    fail "expected cmake and ninja in PATH; call tools/setup-debian"
  if ! with_progress configure '^-- (.{0,60})' "build/$preset/configure.log" \
    cmake --preset "$preset"; then
    grep -A 8 -m 3 'CMake Error' "build/$preset/configure.log" >&2 || true
    fail "the configuration failed, see build/$preset/configure.log"
  fi
  if ! NINJA_STATUS='[%f/%t] ' with_progress build '^\[([0-9]+/[0-9]+)\]' "$log" \
    ninja -C "build/$preset" -j "$jobs" "$@"; then
    grep -E -A 6 -m 5 'FAILED:|error:' "$log" | cut -c -300 >&2 || true
    fail "the build failed, see $log"
  fi
}
