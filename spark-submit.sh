#!/usr/bin/env bash
# The one way a job is launched: by hand, from Airflow, in CI.
#   ./spark-submit.sh [--dry-run] [--master URL] [OPTIONS of spark-submit] jobs/<stage>.py --period 2026-06 --root demo-lake
# SPARK_MASTER chooses the master (local[*] by default), --master before it. The job's exit code is this script's.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die() { printf 'spark-submit.sh: %s\n' "$*" >&2; exit 2; }

dry_run="" more_jars="" options=()
while [[ ${1:-} == --* ]]; do
  case $1 in
    --dry-run) dry_run=yes; shift; continue ;;
    --verbose | --supervise) options+=("$1"); shift; continue ;;
  esac
  [ $# -gt 1 ] || die "$1 needs a value"
  case $1 in
    --master) export SPARK_MASTER=$2 ;; # the job's own session asks for it too
    --jars) more_jars=",$2" ;;
    *) options+=("$1" "$2") ;;
  esac
  shift 2
done
[ $# -gt 0 ] || die "which job? $(cd "$here" && echo jobs/*.py)"
job=$1
shift
[ -f "$job" ] || job="$here/$job"
[ -f "$job" ] || die "there is no job $job"

python=${LAKEHOUSE_PYTHON:-$here/.venv/bin/python}
[ -x "$python" ] || die "there is no Python at $python: run make setup, or set LAKEHOUSE_PYTHON"
# A job that says it uses no Spark starts no JVM, whoever launches it.
if [ -z "$dry_run" ] && grep -q '^# No Spark' "$job"; then
  exec "$python" "$job" "$@"
fi
told=$("$python" -m lakehouse.session "$@") || exit
{ read -r JAVA_HOME; read -r SPARK_HOME; read -r jars; read -r class_path; read -r java_options; read -r memory; } <<<"$told"
export JAVA_HOME SPARK_HOME PYSPARK_PYTHON="${PYSPARK_PYTHON:-$python}" PYSPARK_DRIVER_PYTHON="$python"

command=(
  "$SPARK_HOME/bin/spark-submit"
  --master "${SPARK_MASTER:-local[*]}"
  --properties-file "${LAKEHOUSE_CONF:-$here/conf}/spark-defaults.conf"
  --jars "$jars$more_jars"
  --driver-class-path "$class_path"
  --driver-java-options "$java_options"
  --driver-memory "$memory"
  ${options[@]+"${options[@]}"}
  "$job" "$@"
)
if [ -n "$dry_run" ]; then
  printf '%q ' "${command[@]}"
  printf '\n'
  exit 0
fi
exec "${command[@]}"
