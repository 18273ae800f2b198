#!/bin/sh
# Train ClimSim emulators on one GPU and judge them: benchmarks/emulators_gpu.sh DATA OUT [LANE…]
#
# DATA: the packed file of 60 steps (48 train, 12 test). OUT: an existing folder for bundles, checkpoints and the report.
# LANE: recipes that are trained one after the other, in one word; lanes run side by side. Default: all the heavy ones.
# LIMIT: seconds after which training stops; what is finished is judged, what is not goes on from its checkpoint in the
#        next run. TRAIN: further options of `subgrid train climsim`.
# Lanes share the GPU through MPS where its daemon can be started; without it they take turns and slow each other down.
# Not one call for all: on an H100 eight lanes finish about half of the recipes in 325 s (docs/results/climsim/training.md).
set -eu
data=$1 out=$2
shift 2
test $# -gt 0 || set -- squeezeformer convnext res_lstm "encoder_lstm rpn" "cnn unet" "column_lstm" \
    "mlp512 hsr cvae bilstm" "column_ensemble column_mlp"
limit=${LIMIT:-86400}
export XLA_PYTHON_CLIENT_PREALLOCATE=false

subgrid() { exec python3 -c 'from subgrid.workflows.cli import main; main()' "$@"; }

lane() {
    trap 'kill "$training" 2> /dev/null; echo "$name was stopped at $limit s"; exit 0' TERM
    for name in "$@"; do
        test -d "$out/$name.bundle" && continue
        # shellcheck disable=SC2086
        subgrid train climsim "$name" --data "$data" --out "$out/$name.bundle" --checkpoint "$out/$name.checkpoint" ${TRAIN:-} \
            > "$out/$name.log" 2>&1 &
        training=$!
        wait "$training" || echo "$name did not finish, see $out/$name.log"
    done
}

CUDA_MPS_PIPE_DIRECTORY=$(mktemp -d)
export CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY="$CUDA_MPS_PIPE_DIRECTORY"
nvidia-cuda-mps-control -d 2> /dev/null || unset CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY

lanes=""
for names in "$@"; do
    # shellcheck disable=SC2086
    lane $names &
    lanes="$lanes $!"
done
# shellcheck disable=SC2086
trap 'kill $lanes 2> /dev/null || true' EXIT
end=$(($(date +%s) + limit))
for lane in $lanes; do
    while kill -0 "$lane" 2> /dev/null && [ "$(date +%s)" -lt "$end" ]; do sleep 1; done
    kill "$lane" 2> /dev/null || true
    wait "$lane" || true
done
trap - EXIT
test -z "${CUDA_MPS_PIPE_DIRECTORY:-}" || echo quit | nvidia-cuda-mps-control

models="" reference=""
for bundle in "$out"/*.bundle; do
    test -d "$bundle" && models="$models --model $bundle"
done
test -n "$models" || { echo "no emulator was finished within $limit s; raise LIMIT and run the same command again" >&2; exit 1; }
test -d "$out/mlp512.bundle" && reference="--reference mlp512"
# shellcheck disable=SC2086
(subgrid validate climsim $models --data "$data" $reference --out "$out/report" --overwrite)
