"""The models: each is a call without arguments, inside the scaling that its own guide advises.

X is standardised for everything that is not made of trees, once from training rows. For SVR and
for the second MLPRegressor the target is standardised as well, because their penalty, tolerance and
step sizes assume targets of about unit size. The seed is the one argument that is always passed,
and for our own estimator the number of threads, which does not change its result.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor, kernels
from sklearn.linear_model import RidgeCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from batchprop.sklearn import BatchMLPRegressor

GP_ROWS = 600  # training rows of the largest table that a Gaussian process is fitted to
OURS = "batchprop"


class Model(NamedTuple):
    """A model of another library.

    ``build`` takes the number of inputs and a seed. ``package`` is what must be installed.
    """

    title: str
    short: str  # for the heads of wide tables
    build: Callable[[int, int], Any]
    ranked: bool = False  # among the seven whose ranks are compared
    max_rows: int | None = None
    one_output: bool = False  # fitted to each output by itself
    package: str = "sklearn"


def _scaled(model: Any) -> Any:
    return make_pipeline(StandardScaler(), model)


def _both_scaled(model: Any) -> Any:
    return TransformedTargetRegressor(_scaled(model), transformer=StandardScaler())


def _matern(e: int, seed: int) -> Any:
    """A process with a length for each input and noise of its own, both fitted."""
    kernel = kernels.ConstantKernel() * kernels.Matern([1.0] * e, nu=2.5) + kernels.WhiteKernel(0.1)
    return _scaled(GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed))


def _catboost(e: int, seed: int) -> Any:
    library = importlib.import_module("catboost")
    return library.CatBoostRegressor(
        random_seed=seed, thread_count=1, verbose=False, allow_writing_files=False
    )


def _xgboost(e: int, seed: int) -> Any:
    return importlib.import_module("xgboost").XGBRegressor(random_state=seed, n_jobs=1)


OTHERS = {
    "mlp": Model("MLPRegressor", "MLP", lambda e, seed: MLPRegressor(random_state=seed), True),
    "mlp-scaled": Model("MLPRegressor, X and y scaled", "MLP, X, y scaled",
                        lambda e, seed: _both_scaled(MLPRegressor(random_state=seed)), True),
    "hgb": Model("HistGradientBoosting", "HGB",
                 lambda e, seed: HistGradientBoostingRegressor(random_state=seed), True,
                 one_output=True),
    "rf": Model("RandomForest", "RF",
                lambda e, seed: RandomForestRegressor(random_state=seed), True),
    "svr": Model("SVR, X and y scaled", "SVR", lambda e, seed: _both_scaled(SVR()), True,
                 one_output=True),
    "ridge": Model("RidgeCV, X scaled", "RidgeCV", lambda e, seed: _scaled(RidgeCV()), True),
    "mlp-x": Model("MLPRegressor, X scaled", "MLP, X scaled",
                   lambda e, seed: _scaled(MLPRegressor(random_state=seed))),
    "gp": Model("GaussianProcess, X scaled", "GP",
                lambda e, seed: _scaled(GaussianProcessRegressor(random_state=seed)),
                max_rows=GP_ROWS),
    "gp-matern": Model("GaussianProcess, Matérn", "GP, Matérn", _matern, max_rows=GP_ROWS),
    "catboost": Model("CatBoost", "CatBoost", _catboost, one_output=True, package="catboost"),
    "xgboost": Model("XGBoost", "XGBoost", _xgboost, one_output=True, package="xgboost"),
}  # fmt: skip


def is_installed(name: str) -> bool:
    """Tell whether the package of a model is there; our own always is."""
    return name not in OTHERS or importlib.util.find_spec(OTHERS[name].package) is not None


def variant(text: str) -> dict[str, Any]:
    """Read a variant of our estimator: NAME=JSON, separated by spaces; text needs no quotes."""
    options = {}
    for part in text.split():
        name, sign, value = part.partition("=")
        if not sign or name not in BatchMLPRegressor().get_params():
            raise SystemExit(
                f"A variant must be NAME=JSON pairs separated by spaces, with names of parameters "
                f"of BatchMLPRegressor, got {part!r}. Example: --variants alpha=auto"
            )
        try:
            options[name] = json.loads(value)
        except json.JSONDecodeError:
            options[name] = value
    return options


def has_no_penalty(name: str) -> bool:
    """Tell whether a call of ours, by its name, differs from the bare one by alpha=0 at most."""
    options = variant(name.removeprefix(OURS))
    alpha = options.pop("alpha", BatchMLPRegressor().alpha)
    return not options and alpha == 0


def title_of(name: str) -> str:
    """Return the name of a model as the report prints it."""
    if name in OTHERS:
        return OTHERS[name].title
    return " ".join((OURS, name.removeprefix(OURS).strip())).strip()


def max_rows(name: str) -> int | None:
    """Return the number of training rows above which a model is not fitted."""
    return OTHERS[name].max_rows if name in OTHERS else None


def build(name: str, e: int, s: int, seed: int) -> Any:
    """Return an unfitted model for e inputs and s outputs.

    The name is a key of ``OTHERS``, or "batchprop", which the options of a variant may follow.
    """
    if name not in OTHERS:
        options = variant(name.removeprefix(OURS))
        return BatchMLPRegressor(random_state=seed, n_threads=1, **options)
    model = OTHERS[name].build(e, seed)
    return MultiOutputRegressor(model) if OTHERS[name].one_output and s > 1 else model
