#!/bin/sh
# Keeps a copy of what a service that Falconer protects answers at a URL. It holds no secret and signs nothing: `falconer proxy` does both.
#
#   falconer proxy --host https://notes.example.com -- ./backup.sh https://notes.example.com/books/red/notes red.json
set -eu

if [ $# -ne 2 ]; then
  echo "usage: backup.sh URL FILE" >&2
  exit 2
fi
if [ -z "${TASKCLUSTER_PROXY_URL:-}" ]; then
  echo "backup.sh: there is no proxy: run it with \`falconer proxy -- backup.sh URL FILE\`" >&2
  exit 2
fi

url=$1 file=$2
new=$file.new
trap 'rm -f "$new"' EXIT

# The proxy takes the host as the first part of the path.
if ! curl --silent --show-error --fail-with-body --max-time 60 --output "$new" "$TASKCLUSTER_PROXY_URL/${url#*://}"; then
  # What the service, or the proxy, has said.
  [ ! -f "$new" ] || cat "$new" >&2
  exit 1
fi
# The old copy stays until the new one is there whole.
mv "$new" "$file"
