"""PyTorch and onnxruntime on the weights and inputs of emulator_inference.py, which runs this file.

python emulator_peers.py WEIGHTS.npz     then on standard input `PEER NETWORK BATCH SECONDS`, one a line;
each is answered by a line of JSON: [columns per second of wall time, of CPU time, mean |output| of CHECKED].
"""

import json
import os
import sys
import tempfile
import time

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

CHECKED = 384  # columns on which all are compared


def rate(run, x, seconds):
    """Columns per second of wall and of CPU time of `run(x)`."""
    calls, wall, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        run(x)
        calls += 1
    return calls * len(x) / (time.perf_counter() - wall), calls * len(x) / (time.process_time() - cpu)


def torch_mlp(w):
    """The MLP in PyTorch."""
    layers = []
    for i in range(3):
        linear = torch.nn.Linear(*w[f"mlp_{i}_kernel"].shape)
        linear.weight.data, linear.bias.data = (
            torch.tensor(w[f"mlp_{i}_kernel"].T),
            torch.tensor(w[f"mlp_{i}_bias"]),
        )
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


class TorchBiLSTM(torch.nn.Module):
    """Weights of the JAX network: the gate order is PyTorch's."""

    def __init__(self, w):
        super().__init__()
        width = w["lstm_0_down_recurrent"].shape[0]
        self.lstm = torch.nn.LSTM(
            w["lstm_0_down_kernel"].shape[0], width, 3, batch_first=True, bidirectional=True
        )
        for i in range(3):
            for side, suffix in (("down", ""), ("up", "_reverse")):
                for ours, theirs in (("kernel", "weight_ih"), ("recurrent", "weight_hh")):
                    getattr(self.lstm, f"{theirs}_l{i}{suffix}").data = torch.tensor(
                        w[f"lstm_{i}_{side}_{ours}"].T.copy()
                    )
                for ours, theirs in (("bias", "bias_ih"), ("recurrent_bias", "bias_hh")):
                    getattr(self.lstm, f"{theirs}_l{i}{suffix}").data = torch.tensor(
                        w[f"lstm_{i}_{side}_{ours}"]
                    )
        self.exit = torch.nn.Linear(*w["exit_kernel"].shape)
        self.exit.weight.data, self.exit.bias.data = (
            torch.tensor(w["exit_kernel"].T),
            torch.tensor(w["exit_bias"]),
        )

    def forward(self, x):
        return self.exit(self.lstm(x)[0])


def onnx_mlp(w):
    """The MLP in onnxruntime."""
    nodes, constants, name = [], [], "x"
    for i in range(3):
        constants += [numpy_helper.from_array(w[f"mlp_{i}_{k}"], f"{k}{i}") for k in ("kernel", "bias")]
        out = "y" if i == 2 else f"h{i}"
        nodes.append(helper.make_node("Gemm", [name, f"kernel{i}", f"bias{i}"], [out]))
        name = out
        if i < 2:
            nodes.append(helper.make_node("Relu", [out], [f"r{i}"]))
            name = f"r{i}"
    return session(nodes, constants, [None, w["mlp_0_kernel"].shape[0]], [None, w["mlp_2_bias"].size])


def onnx_gates(matrix):
    """PyTorch's i, f, g, o along the first axis to ONNX's i, o, f, c."""
    i, f, g, o = np.split(matrix, 4)
    return np.concatenate([i, o, f, g])


def onnx_lstm(w):
    """The Bi-LSTM in onnxruntime; its LSTM runs over the first axis."""
    nodes = [helper.make_node("Transpose", ["x"], ["s0"], perm=[1, 0, 2])]
    constants = []
    width = w["lstm_0_down_recurrent"].shape[0]
    for i in range(3):

        def both(kind, i=i):
            return np.stack(
                [onnx_gates(np.ascontiguousarray(w[f"lstm_{i}_{s}_{kind}"].T)) for s in ("down", "up")]
            )

        bias = np.concatenate([both("bias"), both("recurrent_bias")], axis=1)
        constants += [
            numpy_helper.from_array(a, f"{n}{i}")
            for n, a in (("W", both("kernel")), ("R", both("recurrent")), ("B", bias))
        ]
        nodes.append(
            helper.make_node(
                "LSTM",
                [f"s{i}", f"W{i}", f"R{i}", f"B{i}"],
                [f"l{i}"],
                hidden_size=width,
                direction="bidirectional",
            )
        )
        nodes.append(helper.make_node("Transpose", [f"l{i}"], [f"t{i}"], perm=[0, 2, 1, 3]))
        nodes.append(helper.make_node("Reshape", [f"t{i}", "shape"], [f"s{i + 1}"]))
    constants.append(numpy_helper.from_array(np.array([0, 0, -1], np.int64), "shape"))
    constants += [numpy_helper.from_array(w[f"exit_{k}"], f"exit_{k}") for k in ("kernel", "bias")]
    nodes += [
        helper.make_node("Transpose", ["s3"], ["u"], perm=[1, 0, 2]),
        helper.make_node("MatMul", ["u", "exit_kernel"], ["v"]),
        helper.make_node("Add", ["v", "exit_bias"], ["y"]),
    ]
    channels = w["lstm_0_down_kernel"].shape[0]
    return session(nodes, constants, [None, 60, channels], [None, 60, w["exit_bias"].size])


def session(nodes, constants, shape_in, shape_out):
    """A function x → y on one thread."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "g",
        [value("x", TensorProto.FLOAT, shape_in)],
        [value("y", TensorProto.FLOAT, shape_out)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        onnx.save(model, file.name)
        running = onnxruntime.InferenceSession(file.name, options, providers=["CPUExecutionProvider"])
    return lambda x: running.run(None, {"x": x})[0]


def main():
    """Answer requests until the input ends."""
    w = dict(np.load(sys.argv[1]))
    torch.set_num_threads(1)
    modules = {"mlp": torch_mlp(w), "bilstm": TorchBiLSTM(w)}
    runs = {("onnxruntime", "mlp"): onnx_mlp(w), ("onnxruntime", "bilstm"): onnx_lstm(w)}
    for name, module in modules.items():
        module.eval()
        runs["torch", name] = lambda x, m=module: m(torch.from_numpy(x)).numpy()
    with torch.inference_mode():
        for line in sys.stdin:
            peer, name, batch, seconds = line.split()
            x = w[f"{name}_x"][np.arange(int(batch)) % len(w[f"{name}_x"])]
            run = runs[peer, name]
            checksum = float(np.abs(run(x[:CHECKED])).mean())
            answer = [*rate(run, x, float(seconds)), checksum]
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


main()
