"""Test errors (mean and standard error) from publications, or measured once with other code."""

from __future__ import annotations

from typing import NamedTuple


class Method(NamedTuple):
    """A row of the table: mean and standard error of the test RMSE by table."""

    title: str
    rmse: dict[str, tuple[float, float]]
    one_hidden_layer: bool = True


def _method(
    title: str, *pairs: tuple[float, float] | None, one_hidden_layer: bool = True
) -> Method:
    names = ("concrete", "energy", "power", "protein", "yacht")
    known = {name: pair for name, pair in zip(names, pairs, strict=True) if pair}
    return Method(title, known, one_hidden_layer)


PUBLISHED = (
    _method("linear least squares, measured",
            (10.31, 0.14), (3.06, 0.05), (4.61, 0.03), (5.21, 0.02), (8.97, 0.27)),
    _method("probabilistic backpropagation (2015)",
            (5.67, 0.09), (1.80, 0.05), (4.12, 0.03), (4.73, 0.01), (1.02, 0.05)),
    _method("deep ensembles, 5 networks (2017)",
            (6.03, 0.13), (2.09, 0.06), (4.11, 0.04), (4.71, 0.03), (1.58, 0.11)),
    _method("MC dropout, 4000 epochs (2016)",
            (4.81, 0.14), (1.09, 0.05), (4.00, 0.04), (4.27, 0.02), (0.72, 0.06)),
    _method("MC dropout, tuned on inner validation (2018)",
            (4.83, 0.16), (0.539, 0.014), (4.01, 0.04), (4.27, 0.02), (0.67, 0.05)),
    _method("MC dropout, two hidden layers (2016)",
            (4.50, 0.18), (0.474, 0.013), (3.63, 0.04), (3.62, 0.02), (0.66, 0.06),
            one_hidden_layer=False),
    _method("scikit-learn 1.9.1 lbfgs, relu, α = 0.1, measured",
            (4.70, 0.18), (0.437, 0.014), (3.95, 0.08), None, (0.65, 0.05)),
    _method("scikit-learn 1.9.1 lbfgs, relu, α = 1, measured",
            (4.99, 0.12), (0.712, 0.020), (3.98, 0.08), None, (1.14, 0.08)),
    _method("scikit-learn 1.9.1 lbfgs, tanh, α = 0.001, measured",
            (5.60, 0.35), (0.457, 0.013), (3.93, 0.09), None, (0.40, 0.03)),
    _method("scikit-learn 1.9.1 adam, early stopping, relu, measured",
            (6.42, 0.15), (2.69, 0.11), (4.16, 0.08), None, (5.28, 0.63)),
)  # fmt: skip


def _likelihood(*values: float) -> dict[str, float]:
    names = ("concrete", "energy", "power", "protein", "yacht")
    return dict(zip(names, values, strict=True))


# Negative log likelihood of a test row.
NEGATIVE_LOG_LIKELIHOODS = {
    "MC dropout, tuned on inner validation (2018)": _likelihood(2.94, 1.21, 2.81, 2.87, 1.25),
    "deep ensembles, 5 networks (2017)": _likelihood(3.06, 1.38, 2.79, 2.83, 1.18),
    "NGBoost (2020)": _likelihood(3.09, 0.62, 2.77, 2.91, 0.75),
}


def best(name: str) -> tuple[float, float]:
    """Return the lowest published error with one hidden layer, and its standard error."""
    return min(one.rmse[name] for one in PUBLISHED if one.one_hidden_layer and name in one.rmse)
