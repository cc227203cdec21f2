"""pyrenn: Levenberg-Marquardt from several starts."""

from __future__ import annotations

import json
import sys
from importlib import metadata

import numpy as np
import pyrenn


def main() -> None:
    """Print the mean squared training error and the predictions of each start."""
    arrays, seeds = dict(np.load(sys.argv[1])), int(sys.argv[2])
    X, T, X_new = arrays["x"].T, arrays["t"].T, arrays["x_new"].T
    fits = []
    for seed in range(seeds):
        np.random.seed(seed)  # noqa: NPY002  pyrenn draws its start from the global generator
        net = pyrenn.CreateNN([X.shape[0], 5, 1])
        net = pyrenn.train_LM(X, T, net, k_max=100, E_stop=1e-10, verbose=False)
        Y = pyrenn.NNOut(X, net)
        residual = np.ravel(Y) - np.ravel(T)
        predictions = np.ravel(pyrenn.NNOut(X_new, net)).tolist()
        fits.append({"loss": float(np.mean(residual**2)), "predictions": predictions})
    print(json.dumps({"tool": f"pyrenn {metadata.version('pyrenn')}", "fits": fits}))


if __name__ == "__main__":
    main()
