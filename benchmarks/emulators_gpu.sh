#!/bin/sh
# Train ClimSim emulators on one or more GPUs and judge them: benchmarks/emulators_gpu.sh DATA OUT [LANE…]
#
# DATA: the packed file of 60 steps (48 train, 12 test). OUT: an existing folder for bundles, checkpoints and the report.
# LANE: recipes that are trained one after the other, in one word; lanes run side by side. Default: all the heavy ones.
# LIMIT: seconds after which training stops; what is unfinished is exported as it is, marked in the report (unet-400-of-2016),
#        and goes on from its checkpoint in the next run. TRAIN: further options of `subgrid train climsim`.
# Lanes are dealt out to the GPUs in turn and share each through MPS where its daemon can be started; without it they take
# turns and slow each other down. Not one call for all: on one H100 eight lanes finish about half of the recipes in 325 s
# (docs/results/climsim/training.md). MEMORY: share of a GPU that one lane may take, so that the tuning of one does not
# starve the others.
set -eu
data=$1 out=$2
shift 2
test $# -gt 0 || set -- squeezeformer convnext res_lstm "encoder_lstm rpn" "unet cnn" "column_lstm" \
    "mlp512 hsr cvae bilstm" "column_ensemble column_mlp"
limit=${LIMIT:-86400}
end=$(($(date +%s) + limit))
export XLA_PYTHON_CLIENT_PREALLOCATE=false XLA_PYTHON_CLIENT_MEM_FRACTION="${MEMORY:-0.4}"

subgrid() { exec python3 -c 'from subgrid.workflows.cli import main; main()' "$@"; }

finished() { test -d "$1" && ! grep -q '"stopped": true' "$1/manifest.txt"; }

lane() {
    trap 'kill "${training:-}" 2> /dev/null; exit 1' TERM
    for name in "$@"; do
        finished "$out/$name.bundle" && continue
        left=$((end - $(date +%s)))
        test "$left" -gt 0 || { echo "$name was not begun within $limit s"; continue; }
        # shellcheck disable=SC2086
        subgrid train climsim "$name" --data "$data" --out "$out/$name.bundle" --checkpoint "$out/$name.checkpoint" \
            --seconds "$left" --overwrite ${TRAIN:-} > "$out/$name.log" 2>&1 &
        training=$!
        wait "$training" || { echo "$name did not finish, see $out/$name.log"; continue; }
        finished "$out/$name.bundle" || echo "$name was stopped at $limit s"
    done
}

CUDA_MPS_PIPE_DIRECTORY=$(mktemp -d)
export CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY="$CUDA_MPS_PIPE_DIRECTORY"
nvidia-cuda-mps-control -d 2> /dev/null || unset CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY

# The GPUs that a batch system granted, or all of them.
granted=${CUDA_VISIBLE_DEVICES:-$(nvidia-smi --query-gpu=index --format=csv,noheader 2> /dev/null || true)}
granted=$(echo "$granted" | tr ',\n' '  ')
gpus=$(echo "$granted" | wc -w)
lanes="" number=0
for names in "$@"; do
    # shellcheck disable=SC2086
    test "$gpus" -lt 2 || CUDA_VISIBLE_DEVICES=$(set -- $granted; shift $((number % gpus)); echo "$1")
    test "$gpus" -lt 2 || export CUDA_VISIBLE_DEVICES
    number=$((number + 1))
    # shellcheck disable=SC2086
    lane $names &
    lanes="$lanes $!"
done
# shellcheck disable=SC2086
trap 'kill $lanes 2> /dev/null || true' EXIT
for lane in $lanes; do wait "$lane" || true; done
trap - EXIT
test -z "${CUDA_MPS_PIPE_DIRECTORY:-}" || echo quit | nvidia-cuda-mps-control

models="" reference=""
for bundle in "$out"/*.bundle; do
    test -d "$bundle" && models="$models --model $bundle"
done
test -n "$models" || { echo "no emulator was trained, see $out/*.log" >&2; exit 1; }
finished "$out/mlp512.bundle" && reference="--reference mlp512"
# shellcheck disable=SC2086
(subgrid validate climsim $models --data "$data" $reference --out "$out/report" --overwrite)
