#!/usr/bin/env bash
# Makes the environment: Python packages from the lock file, Java, and the pinned JARs. Run again, it does nothing.
#   scripts/setup.sh           what the demo needs
#   scripts/setup.sh tests     and the accounting tools that the tests run
#   scripts/setup.sh airflow   and Airflow, in an environment of its own: its Spark client and the lake's Spark own the same folder
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 2; }

apt_install() { # PACKAGE...: installs Debian packages where that is possible, else fails
  command -v apt-get >/dev/null || return 1
  local sudo=""
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    sudo="sudo"
  fi
  say "installing $* with apt"
  { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null 2>&1
}

find_python() {
  local candidate
  for candidate in python3.12 python3.11 python3.10 python3; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  die "no Python 3.10, 3.11 or 3.12 was found: install one of them"
}

make_venv() {
  local python stamp=.setup/packages want
  want=$(cat conf/lock/dev.txt setup.py scripts/setup.sh | sha256sum)
  [ -x .venv/bin/lakehouse ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  python=$(find_python)
  say "making .venv with $python"
  [ -x .venv/bin/python ] || "$python" -m venv .venv >/dev/null 2>&1 || {
    rm -rf .venv
    apt_install python3-venv || die "$python cannot make environments: install its venv package (Debian: python3-venv)"
    "$python" -m venv .venv
  }
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==0.13.8"
  .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r conf/lock/dev.txt
  .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --editable .
  mkdir -p .setup
  echo "$want" >"$stamp"
}

make_airflow_venv() {
  local python stamp=.setup/airflow want
  want=$(cat conf/lock/airflow.txt | sha256sum)
  [ -x .venv-airflow/bin/airflow ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  python=$(.venv/bin/python -c 'import sys; print(sys.executable if sys.version_info >= (3, 11) else "")')
  [ -n "$python" ] || die "Airflow needs Python 3.11 or newer: remove .venv, install one, and run this again"
  say "making .venv-airflow with $python"
  [ -x .venv-airflow/bin/python ] || .venv/bin/uv venv --quiet --python "$python" .venv-airflow
  .venv/bin/uv pip install --quiet --python .venv-airflow/bin/python --require-hashes -r conf/lock/airflow.txt
  # Of the lake, the declarations alone are imported there; they need no library.
  .venv/bin/uv pip install --quiet --python .venv-airflow/bin/python --no-deps --editable .
  mkdir -p .setup
  echo "$want" >"$stamp"
}

need_java() {
  .venv/bin/python -c 'import sys; from lakehouse.session import find_java; sys.exit(find_java() is None)' && return
  apt_install openjdk-17-jre-headless || die "no Java 17 or newer was found: install one (Debian: openjdk-17-jre-headless) or set JAVA_HOME"
}

archive_classes() { # Spark then starts in half the time; without it, everything works all the same
  local stamp=.setup/classes want
  want=$({ cat .setup/packages conf/jars.lock scripts/archive_classes.py lakehouse/store/rehearsal.py; .venv/bin/python -m lakehouse.session | head -4; } | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  say "archiving Spark's classes, once"
  .venv/bin/python scripts/archive_classes.py || say "Spark will start without them"
  echo "$want" >"$stamp"
}

need_accounting_tools() {
  local missing=()
  command -v bean-check >/dev/null || missing+=(beancount)
  command -v hledger >/dev/null || missing+=(hledger)
  [ ${#missing[@]} = 0 ] && return
  apt_install "${missing[@]}" || die "the tests need ${missing[*]}: install them (Debian packages of these names)"
}

make_venv
need_java
.venv/bin/python -m lakehouse.jars >/dev/null
archive_classes
[ "${1:-}" = tests ] && need_accounting_tools
[ "${1:-}" = airflow ] && make_airflow_venv
exit 0
