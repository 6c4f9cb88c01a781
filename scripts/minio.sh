#!/usr/bin/env bash
# Prints the path of a MinIO server for tests: MINIO_BINARY, minio on PATH, or where Go puts it; else builds it there from its Go module.
#   scripts/minio.sh --find   never builds: ends with 1 where there is none
# MinIO is under the AGPL: a tool that tests start and stop, never a part of what is installed.
set -euo pipefail

bin=${GOBIN:-${GOPATH:-$HOME/go}/bin}
for candidate in "${MINIO_BINARY:-}" "$(command -v minio || true)" "$bin/minio"; do
  if [ -n "$candidate" ] && [ -x "$candidate" ]; then
    echo "$candidate"
    exit 0
  fi
done
[ "${1:-}" != --find ] || exit 1
command -v go >/dev/null || { echo "minio: there is neither minio nor go: install one, or set MINIO_BINARY" >&2; exit 2; }
echo "== building MinIO, which takes some minutes" >&2
GOBIN=$bin go install github.com/minio/minio@latest >&2
echo "$bin/minio"
