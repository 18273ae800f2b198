"""How near the convection scheme in `match` comes to WRF's own numbers: the table of docs/physics/mskf.md.

    python benchmarks/convection_reference.py wrf_mskf_reference_columns.nc

Prints one Markdown table: 95th percentile and maximum of the errors relative to the largest value of WRF's
profile, in the active well-conditioned columns where that is not zero (where it is and ours is not: inf).
WRF's single precision against its double is the spread that rounding alone gives.
"""

import argparse
from pathlib import Path

import numpy as np
from netCDF4 import Dataset

from subgrid.contracts.columns_file import open_columns, read_columns
from subgrid.sims.convection.mskf import convect
from subgrid.sims.convection.sequence import march
from subgrid.validation.column_errors import profile_errors
from subgrid.workflows.physics import read_sequences

Answer = dict[str, np.ndarray]
HEADER = (
    *("", "columns", "double, WRF double", "single, WRF single"),
    *("WRF single, WRF double", "single, double"),
)
OUTCOME = ("exit_code", "cutop", "cubot", "nca")
QUANTITIES = {
    "θ tendency": "rthcuten",
    "q_v tendency": "rqvcuten",
    "q_c tendency": "rqccuten",
    "q_r tendency": "rqrcuten",
    "q_i tendency": "rqicuten",
    "q_s tendency": "rqscuten",
    "rain": "pratec",
    "time scale": "timec_kf",
    "cloud fraction, deep": "cldfra_dp",
    "cloud fraction, shallow": "cldfra_sh",
    "condensate in the cloud, liquid": "qc_kf",
    "condensate in the cloud, ice": "qi_kf",
}
WIND = {"u tendency": "rucuten", "v tendency": "rvcuten"}


def read_reference(path: Path) -> tuple[Answer, Answer, Answer]:
    """Inputs, and WRF's answers in double and in single precision with zeros above each column's top."""
    with open_columns(path) as dataset:
        stored = {name: dataset[name][:] for name in dataset.variables if name != "note"}
        columns = read_columns(dataset, slice(None))
    used = np.arange(stored["t"].shape[1]) < stored["nlev"][:, None]
    stored |= {name: np.where(used, a, 0) for name, a in stored.items() if a.shape == used.shape}
    double = stored | {name.removesuffix("_r8"): a for name, a in stored.items() if name.endswith("_r8")}
    # Two of WRF's rain rates in double precision are -1e-20, which is rounding.
    return columns, double | {"pratec": np.maximum(double["pratec"], 0)}, stored


def groups(wrf: Answer) -> dict[str, np.ndarray]:
    """The active well-conditioned columns of WRF, all and by what carries the momentum, (columns,) each."""
    good = wrf["well_conditioned"] == 1
    deep, shallow = (good & (wrf["exit_code"] == code) for code in (1, 2))
    downdraft = np.any(wrf["ddr_kf"] != 0, axis=1)
    return {
        "": deep | shallow,
        ", shallow": shallow,
        ", deep without downdraft": deep & ~downdraft,
        ", deep with downdraft": deep & downdraft,
    }


def errors(ours: Answer, theirs: Answer, name: str, kept: np.ndarray) -> np.ndarray:
    """Relative errors of one quantity in the kept columns where it is not zero in both."""
    size = theirs[name].shape
    levels = theirs["nlev"] if len(size) == 2 else np.ones(size[0])
    found = profile_errors(ours[name], theirs[name], levels)
    zero = np.all(theirs[name].reshape(size[0], -1) == 0, axis=1)
    return found[kept & ~(zero & (found == 0))]


def rows(pairs: list[tuple[Answer, Answer]]) -> list[list[str]]:
    """Label, number of columns, and one cell for each pair of answers; the first pair has WRF's double."""
    wrf = pairs[0][1]
    good, kept = wrf["well_conditioned"] == 1, groups(wrf)
    same = [np.mean([ours[name][good] == theirs[name][good] for name in OUTCOME]) for ours, theirs in pairs]
    table = [["outcome, cloud top and base, NCA", str(good.sum()), *(f"{100 * part:.4g} %" for part in same)]]
    wanted = [(label, name, kept[""]) for label, name in QUANTITIES.items()]
    wanted += [(label + of, name, kept[of]) for of in kept for label, name in WIND.items()]
    for label, name, columns in wanted:
        found = [errors(ours, theirs, name, columns) for ours, theirs in pairs]
        table.append([label, str(found[0].size), *map(spread, found)])
    return table


def spread(found: np.ndarray) -> str:
    """95th percentile and maximum."""
    if not found.any():
        return "exact"
    return f"{np.quantile(found, 0.95):.1e}, {found.max():.1e}".replace("e-0", "e-")


def sequences(path: Path) -> list[list[str]]:
    """Largest difference of the rain at the end of the sequences [mm]; NCA of every step (single only)."""
    with Dataset(path) as dataset:
        group = dataset["sequences"]
        wrf_double, wrf_single = group["rainc_r8_end"][:], group["rainc"][:, -1]
        nca = group["nca_end"][:]
    double, single = (march(*read_sequences(path), mode="match", precision=p) for p in ("double", "single"))
    ends = [replay["rainc"][:, -1] for replay in (double, single)]
    pairs = ((ends[0], wrf_double), (ends[1], wrf_single), (wrf_single, wrf_double), (ends[1], ends[0]))
    rain = [f"{np.max(np.abs(a - b)):.1e} mm".replace("e-0", "e-") for a, b in pairs]
    same = f"{100 * np.mean(single['nca_end'] == nca):.4g} %"
    count = str(nca.shape[0])
    return [["rain after a sequence", count, *rain], ["NCA of its steps", count, "", same, "", ""]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference", type=Path, help="wrf_mskf_reference_columns.nc")
    path = parser.parse_args().reference
    columns, wrf_double, wrf_single = read_reference(path)
    double, single = (convect(columns, mode="match", precision=p) for p in ("double", "single"))
    pairs = [(double, wrf_double), (single, wrf_single), (wrf_single, wrf_double)]
    pairs.append((single, double | {"nlev": wrf_double["nlev"]}))
    for row in [HEADER, ["---"] * len(HEADER), *rows(pairs), *sequences(path)]:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
