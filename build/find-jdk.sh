# shellcheck shell=sh
# Sourced by ./millpond and ./format: `find_jdk` sets JDK to the home of the newest JDK from 21 up,
# looking in JAVA_HOME, on PATH and where Linux, macOS and SDKMAN put JDKs. It starts no process but
# one readlink, because it runs at every start. Without such a JDK it says what to do and returns 1.

jdk_version_number() { # home -> number=25000003 for 25.0.3, 0 if this is no JDK
  number=0
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 0
  while IFS='=' read -r key value; do
    [ "$key" = JAVA_VERSION ] || continue
    value=${value#\"}
    value=${value%%[!0-9.]*}
    major=${value%%.*}
    rest=${value#"$major"}
    rest=${rest#.}
    minor=${rest%%.*}
    rest=${rest#"$minor"}
    rest=${rest#.}
    patch=${rest%%.*}
    number=$((${major:-0} * 1000000 + ${minor:-0} * 1000 + ${patch:-0}))
  done <"$1/release"
}

find_jdk() {
  JDK=
  best=0
  javac=$(command -v javac || true)
  if [ -n "$javac" ]; then
    javac=$(readlink -f "$javac" 2>/dev/null || echo "$javac")
  fi
  for home in "${JAVA_HOME:-}" "${javac%/bin/javac}" \
    /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
    "${HOME:-}"/.sdkman/candidates/java/* "${HOME:-}"/.jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home \
    "${HOME:-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    [ -n "$home" ] || continue
    jdk_version_number "$home"
    if [ "$number" -gt "$best" ]; then
      best=$number
      JDK=$home
    fi
  done
  if [ "$best" -lt 21000000 ]; then
    if [ "$best" -gt 0 ]; then
      echo "millpond: needs a JDK from version 21 up; the newest found is $((best / 1000000)) in $JDK." >&2
    else
      echo "millpond: needs a JDK from version 21 up; found none (JAVA_HOME, PATH, /usr/lib/jvm)." >&2
    fi
    echo "Install one, for example Temurin 25, or set JAVA_HOME to the folder that has its bin/javac." >&2
    JDK=
    return 1
  fi
}
