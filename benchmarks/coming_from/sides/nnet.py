"""R's nnet: fits of several seeds, with their weights, and the calls with arguments left out."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SCRIPT = r"""
library(nnet)
x <- as.matrix(read.csv("x.csv", header = FALSE)); y <- as.matrix(read.csv("t.csv", header = FALSE))
x_new <- as.matrix(read.csv("x_new.csv", header = FALSE))
for (seed in 1:SEEDS) {
  for (name in c("decay", "bare", "skip")) {
    set.seed(seed)
    fit <- switch(name,
      decay = nnet(x, y, size = 20, linout = TRUE, decay = 1, maxit = 1000, trace = FALSE),
      bare = nnet(x, y, size = 20, linout = TRUE, trace = FALSE),
      skip = nnet(x, y, size = 20, linout = TRUE, decay = 1, skip = TRUE, maxit = 1000,
                  trace = FALSE))
    file <- paste0(name, "-", seed)
    write(format(c(fit$value, fit$wts), digits = 17), paste0(file, ".weights"), ncolumns = 1)
    write(format(predict(fit, x_new), digits = 17), paste0(file, ".predictions"), ncolumns = 1)
  }
}
cat(as.character(packageVersion("nnet")), R.version$major, R.version$minor)
"""


def main() -> None:
    """Print the value of the objective, weights and predictions of each fit."""
    arrays = np.load(sys.argv[1])
    seeds = int(sys.argv[2])
    fits: dict[str, list[dict[str, object]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table in ("x", "t", "x_new"):
            np.savetxt(folder / f"{table}.csv", arrays[table], delimiter=",", fmt="%.17g")
        (folder / "fit.R").write_text(SCRIPT.replace("SEEDS", str(seeds)), "utf-8")
        done = subprocess.run(
            ["Rscript", "--vanilla", "fit.R"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        for call in ("decay", "bare", "skip"):
            for seed in range(1, seeds + 1):
                value, *weights = np.loadtxt(folder / f"{call}-{seed}.weights").tolist()
                predictions = np.loadtxt(folder / f"{call}-{seed}.predictions").tolist()
                fit = {"value": value, "weights": weights, "predictions": predictions}
                fits.setdefault(call, []).append(fit)
    version, major, minor = done.stdout.split()
    print(json.dumps({"tool": f"nnet {version}, R {major}.{minor}", "fits": fits}))


if __name__ == "__main__":
    main()
