"""Draw every picture of ``batchprop.plot`` for a real table, the fuel consumption of cars.

Run it with ``python examples/plots.py``; the pictures go to ``build/plots``.  ``docs/plots.md``
shows them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import batchprop
from batchprop import plot

HERE = Path(__file__).resolve().parent
TABLE = HERE / "data" / "auto_mpg.csv"
PLOTS = HERE.parent / "build" / "plots"


def auto_mpg() -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return inputs (7, 392), targets (1, 392) and the names of the inputs."""
    table = np.loadtxt(TABLE, delimiter=",", skiprows=1).T
    names = TABLE.read_text("utf-8").splitlines()[0].split(",")
    return table[1:], table[:1], names[1:]


def pictures() -> dict[str, Figure]:
    """Return a figure for each function, by its name."""
    X, T, names = auto_mpg()
    order = np.random.default_rng(0).permutation(T.size)
    held_out, fitted = order[:78], order[78:]
    X_new, T_new = X[:, held_out], T[:, held_out]
    mpg = ["mpg"]

    X_fit, T_fit = X[:, fitted], T[:, fitted]
    result = batchprop.train(X_fit, T_fit)
    stopped = batchprop.train(  # no penalty: the validation data choose the network
        X_fit[:, 60:],
        T_fit[:, 60:],
        X_val=X_fit[:, :60],
        T_val=T_fit[:, :60],
        alpha=0.0,
        patience=60,
        hidden_size=10,
    )
    small = batchprop.train(X_fit, T_fit, hidden_size=4)
    one = batchprop.train(X_fit[3:4], T_fit, hidden_size=4)

    axes = {
        "history": plot.history(stopped),
        "predicted_against_true": plot.predicted_against_true(
            result, X_new, T_new, output_names=mpg
        ),
        "residuals": plot.residuals(result, X, T, output_names=mpg),
        "response_curves": plot.response_curves(result, X_fit, names=names, output_names=mpg)[0, 0],
        "importance": plot.importance(result, X_fit, names=names, output_names=mpg),
        "network": plot.network(small, X_fit, names=names, output_names=mpg),
        "network_1-4-1": plot.network(one, X_fit[3:4], names=names[3:4], output_names=mpg),
    }
    return {name: ax.get_figure() for name, ax in axes.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output", type=Path, default=PLOTS, metavar="FOLDER", help="for the pictures"
    )
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures().items():
        figure.savefig(folder / f"{name}.png", dpi=90)
        plt.close(figure)
        print(f"{name}.png", file=sys.stdout)
    print(f"in {folder}")


if __name__ == "__main__":
    main()
