#!/bin/sh
# Train the heavy ClimSim emulators on one GPU and judge them: benchmarks/emulators_gpu.sh DATA OUT
#
# DATA: the packed file of 60 steps (48 train, 12 test). OUT: an existing folder for bundles and the report.
# Six lanes side by side hide compilation; more only slow each other down. On an H100 about five minutes.
set -eu
data=$1 out=$2
export XLA_PYTHON_CLIENT_PREALLOCATE=false

subgrid() { python3 -c 'from subgrid.workflows.cli import main; main()' "$@"; }

lane() {
    for name in "$@"; do
        subgrid train climsim "$name" --data "$data" --out "$out/$name.bundle" \
            > "$out/$name.log" 2>&1 || echo "$name failed, see $out/$name.log"
    done
}

lane squeezeformer &
lane convnext rpn &
lane res_lstm &
lane encoder_lstm unet &
lane cnn bilstm column_lstm &
lane mlp512 hsr cvae column_ensemble column_mlp &
wait
models=""
for bundle in "$out"/*.bundle; do models="$models --model $bundle"; done
# shellcheck disable=SC2086
subgrid validate climsim $models --data "$data" --reference mlp512 --out "$out/report"
