"""batchprop's half of each pair, and what is compared.

All pairs have the same samples: Friedman's first function with noise of variance 1, 200 to train on
and 1000 held out, both standardised by the mean and the standard deviation of the former.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.datasets import make_friedman1
from sklearn.neural_network import MLPRegressor

import batchprop

Array = npt.NDArray[np.float64]
N_TRAIN, M, M_SMALL = 200, 20, 5
ALPHA, RATE = 1.0, 0.01


class Row(NamedTuple):
    """One line of the report."""

    what: str
    theirs: str
    ours: str


class Samples(NamedTuple):
    """Tables with samples as rows, as the other tools want them."""

    x: Array  # (N, e)
    t: Array  # (N, 1)
    x_new: Array
    t_new: Array

    def error(self, predictions: Any) -> float:
        """Return the held-out RMSE, in standard deviations of the target."""
        return float(np.sqrt(np.mean((np.ravel(predictions) - self.t_new.ravel()) ** 2)))


def _table() -> Array:
    x, t = make_friedman1(N_TRAIN + 1000, n_features=10, noise=1.0, random_state=0)
    return np.column_stack([x, t])


def noise() -> float:
    """Return the standard deviation of the noise in units of the standardised target."""
    return 1.0 / float(_table()[:N_TRAIN, -1].std())


def samples() -> Samples:
    """Return the samples of all pairs."""
    table = _table()
    table = (table - table[:N_TRAIN].mean(axis=0)) / table[:N_TRAIN].std(axis=0)
    x, t = table[:, :-1], table[:, -1:]
    return Samples(x[:N_TRAIN], t[:N_TRAIN], x[N_TRAIN:], t[N_TRAIN:])


def start() -> batchprop.Network:
    """Return the network that PyTorch and Keras start from, too."""
    return batchprop.Network.initialize(10, M, 1, activation="tanh", seed=0)


def _three(values: list[float]) -> str:
    least, middle, largest = np.quantile(values, [0.0, 0.5, 1.0])
    return f"{middle:.3f} ({least:.3f} to {largest:.3f})"


def _trained(data: Samples, seeds: int, **options: Any) -> list[batchprop.TrainResult]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are meant to overfit, or to end at a limit
        return [
            batchprop.train(data.x.T, data.t.T, seed=seed, n_threads=1, **options)
            for seed in range(seeds)
        ]


def _errors(data: Samples, results: list[batchprop.TrainResult]) -> list[float]:
    return [data.error(result.network.predict(data.x_new.T)) for result in results]


def scikit_learn(data: Samples, seeds: int) -> list[Row]:
    """Compare with MLPRegressor: the objective at its weights, and the errors of several starts."""
    theirs, values, differences = [], [], []
    for seed in range(seeds):
        model = MLPRegressor(
            hidden_layer_sizes=(M,), activation="tanh", solver="lbfgs", alpha=ALPHA, max_iter=5000,
            tol=1e-8, max_fun=100_000, random_state=seed,
        ).fit(data.x, data.t.ravel())  # fmt: skip
        (W_h, W_y), (b_h, b_y) = (
            [block.T for block in model.coefs_],
            model.intercepts_,
        )
        network = batchprop.Network(W_h, b_h, W_y, b_y, activation="tanh")
        loss, _ = batchprop.loss_and_gradient(network, data.x.T, data.t.T, alpha=ALPHA)
        values.append(model.loss_)
        differences.append(abs(loss / 2 - model.loss_) / model.loss_)
        theirs.append(data.error(model.predict(data.x_new)))
    options = {"hidden_size": M, "alpha": ALPHA, "scale": False, "solver": "lbfgs"}
    ours = _trained(data, seeds, **options)
    plain = MLPRegressor(random_state=0, max_iter=5000).fit(data.x, data.t.ravel())
    return [
        Row("its objective at its weights: relative difference", "–", f"{max(differences):.0e}"),
        Row(
            "objective reached",
            _three(values),
            _three([result.selection_score / 2 for result in ours]),
        ),
        Row("held-out RMSE", _three(theirs), _three(_errors(data, ours))),
        Row(
            "held-out RMSE of the call without arguments",
            f"{data.error(plain.predict(data.x_new)):.3f}",
            _three(_errors(data, _trained(data, seeds, hidden_size=M))),
        ),
    ]  # fmt: skip


def network_of_nnet(weights: Any, e: int, m: int) -> batchprop.Network:
    """Return the network of nnet's vector ``wts`` (no skip-layer connections, one output)."""
    hidden = np.reshape(weights[: m * (e + 1)], (m, e + 1))  # a bias, then e weights, unit by unit
    output = np.reshape(weights[m * (e + 1) :], (1, m + 1))
    return batchprop.Network(
        hidden[:, 1:], hidden[:, 0], output[:, 1:], output[:, 0], activation="logistic"
    )


def r_nnet(data: Samples, fits: dict[str, list[dict[str, Any]]]) -> list[Row]:
    """Compare with R's nnet: predictions and objective of its weights, and errors."""
    seeds, e = len(fits["decay"]), data.x.shape[1]
    apart, differences = [], []
    for fit in fits["decay"]:
        network = network_of_nnet(fit["weights"], e, M)
        apart.append(np.abs(network.predict(data.x_new.T) - fit["predictions"]).max())
        loss, _ = batchprop.loss_and_gradient(network, data.x.T, data.t.T, alpha=ALPHA)
        value = N_TRAIN * loss + ALPHA * (np.sum(network.b_h**2) + np.sum(network.b_y**2))
        differences.append(abs(value - fit["value"]) / fit["value"])
    errors = {name: _three([data.error(fit["predictions"]) for fit in fits[name]]) for name in fits}
    shared = {"hidden_size": M, "activation": "logistic", "solver": "lbfgs", "scale": False}
    decayed = _errors(data, _trained(data, seeds, alpha=ALPHA, **shared))
    bare = _errors(data, _trained(data, seeds, alpha=0.0, max_epochs=100, **shared))
    default = _errors(data, _trained(data, seeds, hidden_size=M))
    return [
        Row("predictions of its weights: largest difference", "–", f"{max(apart):.0e}"),
        Row("its objective at its weights: relative difference", "–", f"{max(differences):.0e}"),
        Row("held-out RMSE, `decay = 1`", errors["decay"], _three(decayed)),
        Row("held-out RMSE, `decay = 1, skip = TRUE`", errors["skip"], "–"),
        Row("held-out RMSE, `decay = 0, maxit = 100`", errors["bare"], _three(bare)),
        Row("held-out RMSE of the call without a penalty's number", "–", _three(default)),
    ]  # fmt: skip


def adam(data: Samples, theirs: dict[str, Any], epochs: int, epsilon: float) -> list[Row]:
    """Compare with PyTorch or Keras: Adam's weights after the same steps from the same start."""
    result = batchprop.train(
        data.x.T, data.t.T, network=start(), solver="adam", learning_rate=RATE, epsilon=epsilon,
        alpha=0.0, scale=False, max_epochs=epochs, tol=None, gradient_tol=None,
    )  # fmt: skip
    apart = np.abs(result.last_network.theta - theirs["theta"]).max()
    default = _errors(data, _trained(data, 1, hidden_size=M))[0]
    return [
        Row(f"weights after {epochs} steps: largest difference", "–", f"{apart:.0e}"),
        Row(
            f"held-out RMSE after {epochs} steps",
            f"{data.error(theirs['predictions']):.3f}",
            f"{data.error(result.last_network.predict(data.x_new.T)):.3f}",
        ),
        Row("held-out RMSE of the call without arguments", "–", f"{default:.3f}"),
    ]


def pyrenn(data: Samples, fits: list[dict[str, Any]]) -> list[Row]:
    """Compare with pyrenn: loss after 100 iterations of Levenberg-Marquardt, and errors."""
    options = {"hidden_size": M_SMALL, "solver": "lm", "alpha": 0.0, "max_epochs": 100}
    ours = _trained(data, len(fits), **options)
    default = _trained(data, len(fits), hidden_size=M_SMALL)
    return [
        Row(
            "training loss after 100 iterations",
            _three([fit["loss"] for fit in fits]),
            _three([result.loss for result in ours]),
        ),
        Row(
            "held-out RMSE",
            _three([data.error(fit["predictions"]) for fit in fits]),
            _three(_errors(data, ours)),
        ),
        Row("held-out RMSE with a chosen penalty", "–", _three(_errors(data, default))),
    ]
