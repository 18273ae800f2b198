"""Published scores on the full scoring split (1.68 M columns), quoted, never computed here.

MAE [W m⁻²] of Yu et al. (2023), arXiv 2306.08754, and its website; constant and linear read from the
quick-start figure (± 0.7). They were trained on 10 million columns and V1 inputs: context, not a contest.
"""

NAMES = (
    "ptend_t", "ptend_q0001", "cam_out_NETSW", "cam_out_FLWDS", "cam_out_PRECSC", "cam_out_PRECC",
    "cam_out_SOLS", "cam_out_SOLL", "cam_out_SOLSD", "cam_out_SOLLD",
)  # fmt: skip

_MAE = {
    "constant": (4.3, 5.8, 195.7, 58.3, 10.8, 97.1, 82.7, 88.5, 37.4, 21.6),
    "linear": (3.6, 5.8, 62.6, 12.2, 7.2, 92.8, 37.4, 39.6, 12.9, 12.2),
    "CNN": (2.585, 4.401, 18.85, 8.598, 3.364, 37.83, 10.83, 13.15, 5.817, 5.679),
    "ED": (2.684, 4.673, 14.968, 6.894, 3.046, 37.250, 8.554, 10.924, 5.075, 5.136),
    "HSR": (2.845, 4.784, 19.82, 6.267, 3.511, 42.38, 11.31, 13.60, 6.331, 6.215),
    "MLP": (2.683, 4.495, 13.36, 5.224, 2.684, 34.33, 7.97, 10.30, 4.533, 4.806),
    "RPN": (2.685, 4.592, 18.88, 6.018, 3.328, 37.46, 10.36, 12.96, 5.846, 5.702),
    "cVAE": (2.732, 4.680, 19.73, 6.588, 3.322, 38.81, 10.94, 13.46, 6.159, 6.066),
}
MAE: dict[str, dict[str, float]] = {k: dict(zip(NAMES, v, strict=True)) for k, v in _MAE.items()}

_CRPS = {
    "HSR": (2.158077, 3.644514, 14.620414, 4.560824, 2.904841,
            34.297920, 8.369403, 10.138461, 4.773135, 4.598502),
    "RPN": (2.305415, 4.100232, 14.817278, 4.430498, 2.728996,
            30.083006, 8.308689, 10.487438, 4.649344, 4.682124),
    "cVAE": (2.707907, 4.565009, 20.529121, 6.732409, 3.513294,
             40.166169, 11.908705, 14.423384, 5.945990, 5.925372),
}  # fmt: skip
CRPS: dict[str, dict[str, float]] = {k: dict(zip(NAMES, v, strict=True)) for k, v in _CRPS.items()}

# The 512×512 MLP on 79 of 99 real steps, scored on the other 20: what a small set of columns allows.
SMALL_DATA_MLP: dict[str, float] = dict(
    zip(NAMES, (3.390, 5.317, 33.00, 10.33, 4.968, 59.89, 18.12, 21.85, 9.644, 8.892), strict=True)
)
