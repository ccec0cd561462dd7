# Starting and stopping the processes of the cluster, each known by a pid file in $D/run.

# A pid file holds a pid and the time at which that process started. Time and command line must both still
# A pid file holds a pid and the time at which that process started. Time and command line must both still
# match, so a pid that the kernel gave to another process after a crash is never taken for ours.
started_at() { local s; s=$(<"/proc/$1/stat") && s=${s##*) } && set -- $s && echo "${20}"; }
pid_of() {
  local pid at
  [ -f "$D/run/$1.pid" ] && read -r pid at <"$D/run/$1.pid" || return 1
  [ "$(started_at "$pid" 2>/dev/null)" = "$at" ] && grep -qF "$D/" "/proc/$pid/cmdline" 2>/dev/null && echo "$pid"
}
alive() { pid_of "$1" >/dev/null; }

# start NAME COMMAND…: unless it runs. In a session of its own, so that it outlives this shell; without
# descriptor 9, which is the lock that up and down hold.
start() {
  local name=$1; shift
  alive "$name" && return 0
  setsid nohup "$@" >>"$D/logs/$name.log" 2>&1 </dev/null 9>&- &
  echo "$! $(started_at $! 2>/dev/null)" >"$D/run/$name.pid"
}

stop() {
  local pid
  if pid=$(pid_of "$1"); then
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do alive "$1" || break; sleep 0.1; done
    if pid=$(pid_of "$1"); then kill -9 "$pid" 2>/dev/null || true; fi
  fi
  rm -f "$D/run/$1.pid"
}
