# shellcheck shell=sh
# Sourced by ./millpond: caches that start a JVM faster, an AOT cache from JDK 25 up, a dynamic CDS archive
# below. There is one for servers and one for short commands, named by a checksum of the JARs and by the JDK, in
# the layout or, where that is not writable, in the user's cache folder. They are made by a training run after a
# build of the launcher's own, at a terminal when they are missing, and by `./millpond prepare`; a training that
# failed is not repeated before the next build. MILLPOND_JAVA_CACHE=off does without. Whatever goes wrong here
# costs speed alone. Uses: root layout JDK best path. See docs/adr/0014-start-up.md.

debug() {
  case ${MILLPOND_LOG_LEVEL:-} in
    debug | trace) echo "millpond: $1" >&2 ;;
  esac
}

cache_place() { # sets cache_folder, cache_name and the flags that use a cache
  cache_folder=$layout/start
  id=
  if [ -r "$layout/id" ]; then
    read -r id <"$layout/id" || true
  fi
  cache_name=${id%"${id#????????????}"}-$best
  if [ ! -w "$layout" ] && [ ! -d "$cache_folder" ]; then
    cache_folder=${XDG_CACHE_HOME:-${HOME:-/nowhere}/.cache}/millpond/start-$(printf %s "$layout" | cksum | tr ' ' -)
  fi
  if [ "$best" -ge 25000000 ]; then
    cache_flag=-XX:AOTCache=
    cache_log='-Xlog:aot*=off'
  else
    cache_flag=-XX:SharedArchiveFile=
    cache_log='-Xlog:cds+dynamic=off'
  fi
}

cached() { # is there a cache of this kind for this JDK, made after the build?
  [ "$cache_folder/$cache_name-$1" -nt "$layout/built" ]
}

train() {
  if ! mkdir -p "$cache_folder" 2>/dev/null || [ ! -w "$cache_folder" ]; then
    debug "no start-up cache, $cache_folder cannot be written"
    return 1
  fi
  echo "preparing a fast start (once, some seconds)…" >&2
  "$JDK/bin/java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED \
    -Djava.awt.headless=true "-Dmillpond.home=$layout" -cp "$path" \
    dev.millpond.server.training.StartupTraining "$cache_folder" "$cache_name" \
    "$cache_flag" "$cache_log" '-Xlog:cds*=off' -XX:+VerifySharedSpaces \
    >"$cache_folder/training.log" 2>&1 </dev/null &
  trainer=$!
  trap 'kill "$trainer" 2>/dev/null; exit 130' INT
  trap 'kill "$trainer" 2>/dev/null; exit 143' TERM
  result=0
  wait "$trainer" || result=$?
  trap - INT TERM
  if [ "$result" = 3 ]; then
    echo "millpond: another process is preparing it" >&2
    return 1
  fi
  if [ "$result" != 0 ]; then
    : >"$cache_folder/$cache_name-failed"
    debug "no start-up cache, the training failed: $cache_folder/training.log"
    return 1
  fi
}

# Sets cache_file to the cache to use, or to nothing. $1: server or command. $2: yes after a build of our own.
find_cache() {
  if [ "${MILLPOND_JAVA_CACHE:-auto}" = off ]; then
    return 0
  fi
  cache_place
  if ! cached "$1" && { [ "$2" = yes ] || [ -t 2 ]; } && ! cached failed; then
    train || true
  fi
  if cached "$1"; then
    cache_file=$cache_folder/$cache_name-$1
  else
    debug "no start-up cache in $cache_folder; ./millpond prepare makes it"
  fi
}
