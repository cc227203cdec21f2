"""Test RMSE and NLL from publications, or measured once with other code, on these five tables.

Sources of the likelihoods, with the sign changed where log likelihoods are printed:

- Deep ensembles: B. Lakshminarayanan, A. Pritzel, C. Blundell, *Simple and Scalable Predictive
  Uncertainty Estimation using Deep Ensembles*, 2017.
- MC dropout, 4000 epochs: Y. Gal, Z. Ghahramani, *Dropout as a Bayesian Approximation*, 2016, by
  the longer training of https://github.com/yaringal/DropoutUncertaintyExps.
- MC dropout, tuned: J. Mukhoti, P. Stenetorp, Y. Gal, *On the Importance of Strong Baselines in
  Bayesian Deep Learning*, 2018.
- NGBoost: https://xgboost-distribution.readthedocs.io/en/latest/experiments.html, with splits of
  its own and standard deviations, not standard errors, so that only the means are printed.
"""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.uci.tables import TABLES

Pair = tuple[float, float | None]  # mean and standard error, None if it is not known


class Method(NamedTuple):
    """A row of the tables: mean and standard error by UCI table."""

    title: str
    rmse: dict[str, Pair]
    nll: dict[str, Pair]
    one_hidden_layer: bool = True


def _by_table(values: tuple[Pair | float | None, ...]) -> dict[str, Pair]:
    """Return what is known of concrete, energy, power, protein and yacht, in this order."""
    pairs = {}
    for name, value in zip(TABLES, values or [None] * len(TABLES), strict=True):
        if value is not None:
            pairs[name] = value if isinstance(value, tuple) else (value, None)
    return pairs


def _method(
    title: str,
    *rmse: Pair | float | None,
    nll: tuple[Pair | float | None, ...] = (),
    one_hidden_layer: bool = True,
) -> Method:
    return Method(title, _by_table(rmse), _by_table(nll), one_hidden_layer)


PUBLISHED = (
    _method("linear least squares, measured",
            (10.31, 0.14), (3.06, 0.05), (4.61, 0.03), (5.21, 0.02), (8.97, 0.27)),
    _method("probabilistic backpropagation (2015)",
            (5.67, 0.09), (1.80, 0.05), (4.12, 0.03), (4.73, 0.01), (1.02, 0.05)),
    _method("deep ensembles, 5 networks (2017)",
            (6.03, 0.13), (2.09, 0.06), (4.11, 0.04), (4.71, 0.03), (1.58, 0.11),
            nll=(3.06, 1.38, 2.79, 2.83, 1.18)),
    _method("MC dropout, 4000 epochs (2016)",
            (4.81, 0.14), (1.09, 0.05), (4.00, 0.04), (4.27, 0.02), (0.72, 0.06),
            nll=((2.94, 0.02), (1.72, 0.02), (2.79, 0.01), (2.87, 0.01), (1.38, 0.01))),
    _method("MC dropout, tuned on inner validation (2018)",
            (4.83, 0.16), (0.539, 0.014), (4.01, 0.04), (4.27, 0.02), (0.67, 0.05),
            nll=(2.94, 1.21, 2.81, 2.87, 1.25)),
    _method("MC dropout, two hidden layers (2016)",
            (4.50, 0.18), (0.474, 0.013), (3.63, 0.04), (3.62, 0.02), (0.66, 0.06),
            one_hidden_layer=False),
    _method("NGBoost, by xgboost-distribution",
            nll=(3.09, 0.62, 2.77, 2.91, 0.75), one_hidden_layer=False),
    _method("scikit-learn 1.9.1 lbfgs, relu, α = 0.1, measured",
            (4.70, 0.18), (0.437, 0.014), (3.95, 0.08), None, (0.65, 0.05)),
    _method("scikit-learn 1.9.1 lbfgs, relu, α = 1, measured",
            (4.99, 0.12), (0.712, 0.020), (3.98, 0.08), None, (1.14, 0.08)),
    _method("scikit-learn 1.9.1 lbfgs, tanh, α = 0.001, measured",
            (5.60, 0.35), (0.457, 0.013), (3.93, 0.09), None, (0.40, 0.03)),
    _method("scikit-learn 1.9.1 adam, early stopping, relu, measured",
            (6.42, 0.15), (2.69, 0.11), (4.16, 0.08), None, (5.28, 0.63)),
)  # fmt: skip


def best(name: str) -> Pair:
    """Return the lowest published RMSE with one hidden layer, and its standard error."""
    return min(
        method.rmse[name] for method in PUBLISHED if method.one_hidden_layer and name in method.rmse
    )
