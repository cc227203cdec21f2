"""The methods of ``scipy.optimize.minimize`` and their options; nothing here imports SciPy."""

from __future__ import annotations

from typing import Any, NamedTuple

_UNLIMITED = 2**31 - 1  # the largest count of the methods that SciPy has compiled

# Options that leave the end to our rules.  The methods without a gradient are the last two.
_LONG = {"maxiter": _UNLIMITED}
METHODS: dict[str, dict[str, float]] = {
    "L-BFGS-B": _LONG | {"ftol": 0.0, "gtol": 0.0, "maxfun": _UNLIMITED},
    "BFGS": _LONG | {"gtol": 0.0},
    "CG": _LONG | {"gtol": 0.0},
    "Newton-CG": _LONG | {"xtol": 0.0},
    "TNC": {"ftol": 0.0, "xtol": 0.0, "gtol": 0.0, "maxfun": _UNLIMITED},
    "SLSQP": _LONG | {"ftol": 0.0},
    "trust-constr": _LONG | {"gtol": 0.0, "xtol": 1e-15},
    "Nelder-Mead": _LONG | {"xatol": 0.0, "fatol": 0.0, "maxfev": _UNLIMITED},
    "Powell": _LONG | {"xtol": 0.0, "ftol": 0.0, "maxfev": _UNLIMITED},
}
WITHOUT_GRADIENT = ("Nelder-Mead", "Powell")
# Options that are one number, whatever the method.
NUMBERS = (
    "maxiter", "maxfun", "maxfev", "maxcor", "maxls", "maxCGit", "minfev", "ftol", "gtol", "xtol",
    "xatol", "fatol", "xrtol", "c1", "c2", "eta", "stepmx", "accuracy", "rescale",
)  # fmt: skip


class ScipySettings(NamedTuple):
    """The arguments of ``scipy.optimize.minimize``.

    Attributes
    ----------
    method : str
        A key of METHODS.
    options : dict
        The user's options of the method; they override those of METHODS.
    max_evaluations : int
        Evaluations of loss and gradient at most.
    """

    method: str = "L-BFGS-B"
    options: dict[str, Any] = {}  # noqa: RUF012
    max_evaluations: int = 2**62
