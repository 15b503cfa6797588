#!/bin/sh
# Find a Python that will do, then hand over to install.py: `sh tools/setup.sh lab`.
# PYTHON=/path/to/python names one; otherwise the first below that is 3.10 or newer and can make a venv is taken.
here=${0%/*}
if [ -n "${PYTHON:-}" ]; then set -- "$@" -- "$PYTHON"
else set -- "$@" -- python3 python3.13 python3.12 python3.11 python3.10 python; fi
extra=$1; shift 2
for python in "$@"; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' </dev/null >/dev/null 2>&1 || continue
    if "$python" -c 'import venv, ensurepip' </dev/null >/dev/null 2>&1; then exec "$python" "$here/install.py" "$extra"; fi
    no_venv=$python
done
if [ -n "${no_venv:-}" ]; then
    echo "$no_venv cannot make a virtual environment: its venv module is not there. On Debian or Ubuntu: sudo apt install python3-venv" >&2
else
    echo "No Python 3.10 or newer found (tried: $*)." >&2
    echo "Install one, or name yours: make course PYTHON=/path/to/python3.12" >&2
fi
exit 1
