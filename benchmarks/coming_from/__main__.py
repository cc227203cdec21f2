"""Run the pairs of docs/coming-from*.md and write their results.

    python -m benchmarks.coming_from --python PYTHON

``PYTHON`` is an interpreter that has PyTorch, Keras and pyrenn, or some of them; R's nnet needs
``Rscript``.  A tool that is not there is left out, and the report says so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

from benchmarks import machine, markdown
from benchmarks.coming_from import pairs

SIDES = Path(__file__).resolve().parent / "sides"
EPOCHS = 200  # of Adam
INTRODUCTION = (
    "Made by `python -m benchmarks.coming_from`. The same fit in another tool and in batchprop: "
    "Friedman's first function, 10 inputs of which 5 matter, noise of variance 1, 200 samples to "
    "train on and 1000 held out, all standardised. 20 hidden units (pyrenn: 5). Errors are in "
    "standard deviations of the target; the noise alone is {noise:.2f}. Figures are the median of "
    "{seeds} starts (pyrenn: 3), with the lowest and the highest in parentheses. Starts of "
    "different tools are different."
)


def side(name: str, python: str, file: Path, count: int) -> Any:
    """Return what the other tool's script prints; None, with a line on stderr, if it fails."""
    done = subprocess.run(
        [python, str(SIDES / f"{name}.py"), str(file), str(count)], capture_output=True, text=True
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"{name} is left out: {last}", file=sys.stderr)
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def document(
    sections: dict[str, list[pairs.Row]], left_out: list[str], seeds: int, noise: float, date: str
) -> str:
    """Return the report."""
    parts = [
        "# The same fit elsewhere",
        INTRODUCTION.format(seeds=seeds, noise=noise),
    ]
    for tool, rows in sections.items():
        head = ["", tool, "batchprop"]
        parts += [f"## {tool}", markdown.table(head, rows)]
    if left_out:
        parts.append(f"Not installed here, and left out: {', '.join(left_out)}.")
    parts.append(machine.sentence(machine.describe(), date))
    return "\n\n".join(parts) + "\n"


def measured(python: str, seeds: int) -> tuple[dict[str, list[pairs.Row]], list[str], float]:
    """Return the rows of each tool, the tools that are left out, and the error of the noise."""
    data, noise = pairs.samples(), pairs.noise()
    network = pairs.start()
    sections = {f"scikit-learn {sklearn.__version__}": pairs.scikit_learn(data, seeds)}
    left_out = []
    with tempfile.TemporaryDirectory(prefix="batchprop-pairs-") as folder:
        file = Path(folder) / "arrays.npz"
        blocks = {name: getattr(network, name) for name in ("W_h", "b_h", "W_y", "b_y")}
        np.savez(file, **data._asdict(), **blocks)
        compare: dict[str, tuple[str, int, Callable[[Any], list[pairs.Row]]]] = {
            "nnet": (sys.executable, seeds, lambda out: pairs.r_nnet(data, out["fits"])),
            "pytorch": (python, EPOCHS, lambda out: pairs.adam(data, out, EPOCHS, 1e-8)),
            "keras_adam": (python, EPOCHS, lambda out: pairs.adam(data, out, EPOCHS, 1e-7)),
            "pyrenn_lm": (python, min(seeds, 3), lambda out: pairs.pyrenn(data, out["fits"])),
        }  # fmt: skip
        for name, (interpreter, count, rows_of) in compare.items():
            output = side(name, interpreter, file, count)
            if output is None:
                left_out.append(name)
            else:
                sections[output["tool"]] = rows_of(output)
    return sections, left_out, noise


def main() -> None:
    """Run what is installed and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter of the other tools")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--output", type=Path, default=Path("build/bench"))
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    sections, left_out, noise = measured(given.python, given.seeds)
    text = document(sections, left_out, given.seeds, noise, time.strftime("%Y-%m-%d"))
    (given.output / "coming_from.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
