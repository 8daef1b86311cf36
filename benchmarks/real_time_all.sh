#!/bin/sh
# Everything that docs/performance.md says of real time, unattended, on a machine that does nothing else (40 minutes).
set -e
python=${PYTHON:-python}
results=$(dirname "$0")/../docs/results
"$python" "$(dirname "$0")/real_time.py" --robots 4 2 1 --seconds 600 --json --output "$results/real_time.json"
"$python" "$(dirname "$0")/real_time.py" --robots 1 2 4 --hz 100 --episode-steps 300 --seconds 120 --json \
    --output "$results/real_time_100_hz.json"
