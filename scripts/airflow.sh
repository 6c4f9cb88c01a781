#!/usr/bin/env bash
# A local Airflow with its UI, on one lake: scheduler, API server, triggerer, DAG processor, SQLite.    make airflow
#   LAKEHOUSE_ROOT   the lake (demo-lake by default)      AIRFLOW_HOME  its state (.airflow by default)
#   SPARK_MASTER     where jobs run (local[*] by default)  AIRFLOW_PORT  of the UI (8080 by default)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${AIRFLOW_BIN:-$here/.venv-airflow/bin}
[ -x "$bin/airflow" ] || { echo "airflow.sh: there is no Airflow in $bin: run make setup-airflow" >&2; exit 2; }

root=${LAKEHOUSE_ROOT:-$here/demo-lake}
case $root in *://* | /*) ;; *) root=$PWD/$root ;; esac
master=${SPARK_MASTER:-local[*]}
export AIRFLOW_HOME=${AIRFLOW_HOME:-$here/.airflow} PYTHONPATH=$here PATH=$bin:$PATH
export AIRFLOW__CORE__DAGS_FOLDER=$here/dags AIRFLOW__CORE__LOAD_EXAMPLES=false AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION=true
export AIRFLOW__API__PORT=${AIRFLOW_PORT:-8080} AIRFLOW__API__HOST=127.0.0.1
# Tasks report there; by default Airflow looks for it on 8080, whatever its port is.
export AIRFLOW__API__BASE_URL=http://127.0.0.1:$AIRFLOW__API__PORT AIRFLOW__CORE__EXECUTION_API_SERVER_URL=http://127.0.0.1:$AIRFLOW__API__PORT/execution/
export AIRFLOW_VAR_LAKEHOUSE_ROOT=$root AIRFLOW_CONN_SPARK_DEFAULT="{\"conn_type\":\"spark\",\"host\":\"$master\"}"
# Another writer of the lake is waited for; tasks of different pools may meet there.
export LAKEHOUSE_LEASE_WAIT=${LAKEHOUSE_LEASE_WAIT:-600}

mkdir -p "$AIRFLOW_HOME"
airflow db migrate >"$AIRFLOW_HOME/migrate.log" 2>&1 || { tail -n 20 "$AIRFLOW_HOME/migrate.log" >&2; exit 1; }
python -m lakehouse.dags >"$AIRFLOW_HOME/pools.json"
airflow pools import "$AIRFLOW_HOME/pools.json" >/dev/null
if [ "${1:-}" = prepare ]; then
  exit 0
fi
passwords=$AIRFLOW_HOME/simple_auth_manager_passwords.json.generated
(
  until curl -fs "http://127.0.0.1:$AIRFLOW__API__PORT/api/v2/monitor/health" >/dev/null; do sleep 1; done
  printf '\n== Airflow: http://127.0.0.1:%s   user and password: %s\n== lake: %s   stop with Ctrl-C\n\n' "$AIRFLOW__API__PORT" "$(cat "$passwords")" "$root"
) &
exec airflow standalone
