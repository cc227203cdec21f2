"""``check_gradient``, and which comparisons make up its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import engines, penalty, validation
from batchprop.gradient_check.compare import RELATIVE, Allowed, compare
from batchprop.gradient_check.complex_step import complex_step
from batchprop.gradient_check.engine_under_test import EngineUnderTest
from batchprop.gradient_check.finite_differences import (
    Differences,
    central_differences,
    default_probes,
    directions,
)
from batchprop.gradient_check.problem import BLOCKS, Problem
from batchprop.gradient_check.report import Comparison, GradientReport
from batchprop.gradient_check.rounding import rounding
from batchprop.network import Network

Array = npt.NDArray[Any]
_DOUBLE = np.dtype(np.float64)


def check_gradient(
    network: Network,
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    *,
    engine: str | Callable[..., tuple[float, Any]] = "fused",
    sample_weight: npt.ArrayLike | None = None,
    n_threads: int | None = None,
    n_probes: int | None = None,
    seed: int = 0,
    alpha: float | tuple[float, float] = 0.0,
) -> GradientReport:
    """Check a loss and its gradient by independent methods.

    Three comparisons are made:

    - the loss with its definition, L = Σ_i w_i ‖y_i − t_i‖² / Σ_i w_i, in a separate
      implementation;
    - every entry of the gradient with the complex-step derivative of that implementation;
    - the gradient with central differences of the loss of the *same engine* (SciPy's
      ``approx_fprime``, in float64 even for a float32 network), which detects a gradient that does
      not belong to the loss.

    Parameters
    ----------
    network : Network
        The network at whose parameters the gradient is checked.
    X : array_like, shape (e, N)
        Inputs, one sample per column.
    T : array_like, shape (s, N)
        Targets.
    engine : {"fused", "vectorized", "naive"} or callable
        The engine to check, or a function ``engine(network, X, T, sample_weight)`` that returns
        the loss and the gradient.  The gradient may be a `Gradient`, a flat array of shape (P,),
        or the four blocks in the order W_h, b_h, W_y, b_y.  The function is also called with
        float64 networks and with other parameters, and must not modify its arguments.
    sample_weight : array_like, shape (N,), or None
        Non-negative weights w_i; None means 1 for every sample.
    n_threads : int or None
        Number of threads, as in `loss_and_gradient`.
    n_probes : int or None
        Maximum number of finite differences per block.  A block with more entries is differenced
        along this many random directions instead.  None chooses a number by the amount of work.
    seed : int
        Seed of the random directions.
    alpha : float, or pair of floats
        If not 0, check F = L + (α/Σw) (‖W_h‖² + ‖W_y‖²) and its gradient instead of L and its
        gradient; a pair (α_h, α_y) has one α ≥ 0 for each of W_h and W_y.  A function passed as
        ``engine`` must add the penalty to both itself.

    Returns
    -------
    GradientReport
        ``report.passed`` is the result, ``report.relative_errors`` has one error per block, and
        ``print(report)`` shows a table.

    Raises
    ------
    TypeError, ValueError
        An argument is invalid, or the function does not return a loss and a gradient.

    Notes
    -----
    No absolute tolerance is used.  Each deviation is compared with a bound of the rounding errors
    that can explain it (a running error analysis), and no relative error above 1e-3 passes.  A
    block that cannot be judged to that accuracy is reported as inconclusive, and then ``passed`` is
    False.  This happens at a minimum, for example, where the gradient is nothing but rounding.

    The activations relu, elu and softsign have a kink at z = 0.  The complex step uses the piece
    on whose side z lies, and at z = 0 that of z < 0.  Finite differences use shorter steps so as
    not to cross a kink; if a sample lies on one, their error bound includes its effect.

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop import Network, check_gradient, loss_and_gradient
    >>> rng = np.random.default_rng(0)
    >>> X, T = rng.standard_normal((2, 20)), rng.standard_normal((1, 20))
    >>> network = Network.initialize(2, 4, 1)
    >>> check_gradient(network, X, T).passed
    True

    An engine of your own, here one whose gradient is 1 % too long:

    >>> def wrong(network, X, T, sample_weight):
    ...     loss, gradient = loss_and_gradient(network, X, T, sample_weight=sample_weight)
    ...     return loss, 1.01 * gradient.theta
    >>> report = check_gradient(network, X, T, engine=wrong)
    >>> report.passed, report.verdict("W_h")
    (False, 'WRONG')
    """
    validation.network(network, Network)
    e, _, s = network.shape
    X, T = validation.tables(X, T, e, s, dtype=network.dtype)
    weight = validation.sample_weight(sample_weight, X.shape[1], X.shape[0])
    if not callable(engine):
        engine = validation.choice("engine", engine, engines.names())
    threads = validation.n_threads(n_threads)
    n_probes = validation.optional_count("n_probes", n_probes)
    rng = np.random.default_rng(validation.seed(seed))
    alphas = validation.penalty(alpha)
    rates = penalty.rates_of(alphas, X.shape[1], weight)

    # compare with the data and parameters that the engine sees, rounded to the network's dtype
    X, T = X.astype(network.dtype, copy=False), T.astype(network.dtype, copy=False)
    theta = network.theta.astype(np.float64)
    problem = Problem(theta, network.shape, network.activation, X, T, weight, rates)
    if n_probes is None:
        loops = callable(engine) or engine == "naive"
        n_probes = default_probes(network.shape, X.shape[1], loops)
    with np.errstate(all="ignore"), EngineUnderTest(problem, engine, threads) as under_test:
        comparisons = tuple(_comparisons(problem, under_test, network.dtype, n_probes, rng))
    return GradientReport(
        under_test.name,
        network.shape,
        network.activation,
        str(network.dtype),
        X.shape[1],
        comparisons,
        alphas,
    )


def _comparisons(
    problem: Problem,
    under_test: EngineUnderTest,
    dtype: np.dtype[Any],
    n_probes: int,
    rng: np.random.Generator,
) -> Iterator[Comparison]:
    """Yield the rows of the report in order."""
    loss, gradient = under_test.loss_and_gradient(dtype)
    relative = RELATIVE[gradient.dtype]
    reference = complex_step(problem)
    reference_error = rounding(problem, _DOUBLE, cancels=False)
    engine_error = rounding(problem, gradient.dtype, cancels=True)
    gradient = gradient.astype(np.float64)

    yield _loss_row(
        "returned", loss, reference.loss, (reference_error.loss, engine_error.loss, relative)
    )
    differenced_error = (
        reference_error.loss
        if under_test.precision == _DOUBLE
        else rounding(problem, under_test.precision, cancels=True).loss
    )
    float64_loss = under_test.loss(problem.theta)
    yield _loss_row(
        "differenced",
        float64_loss,
        reference.loss,
        (reference_error.loss, differenced_error, RELATIVE[under_test.precision]),
    )

    allowed = Allowed(
        reference_error.gradient, engine_error.gradient, relative * np.abs(reference.gradient)
    )
    for name in BLOCKS:
        part = problem.section(name)
        block_allowed = Allowed(*(bound[part] for bound in allowed))
        yield _complex_step_row(
            problem, name, gradient[part], reference.gradient[part], block_allowed
        )

        probes = directions(part.stop - part.start, n_probes, rng)
        differences = central_differences(
            under_test.loss, problem, name, probes, reference.gradient, differenced_error
        )
        yield _differences_row(problem, name, gradient[part], differences, probes, block_allowed)


def _loss_row(
    method: str, returned: float, expected: float, bounds: tuple[float, float, float]
) -> Comparison:
    """Return the row that compares a loss with its definition."""
    exact, coarse, relative = bounds
    bounds_of_loss = (exact, coarse, relative * abs(expected))
    allowed = Allowed(*(np.array([bound]) for bound in bounds_of_loss))
    return compare("loss", method, "value", np.array([returned]), np.array([expected]), allowed)


def _complex_step_row(
    problem: Problem, name: str, returned: Array, expected: Array, allowed: Allowed
) -> Comparison:
    """Return the row that compares a block with the complex-step gradient."""
    shape = getattr(problem.blocks, name).shape
    return compare(
        name,
        "complex step",
        _counted(returned.size, "entry", "entries"),
        returned.reshape(shape),
        expected.reshape(shape),
        Allowed(*(bound.reshape(shape) for bound in allowed)),
    )


def _differences_row(
    problem: Problem,
    name: str,
    returned: Array,
    differences: Differences,
    probes: Array,
    allowed: Allowed,
) -> Comparison:
    """Return the row that compares a block with finite differences of the engine's loss."""
    if len(probes) == returned.size:
        checked = _counted(returned.size, "entry", "entries")
        shape = getattr(problem.blocks, name).shape
        bounds = [probes @ bound for bound in allowed]
    else:
        checked = _counted(len(probes), "direction", "directions")
        shape = (len(probes),)
        # The signs of the directions are independent of the errors, so that the errors add up as a
        # random sum, whose standard deviation is at most their root of squares.
        bounds = [np.full(len(probes), 6 * np.linalg.norm(bound)) for bound in allowed]
    return compare(
        name,
        "finite differences",
        checked,
        (probes @ returned).reshape(shape),
        differences.derivative.reshape(shape),
        Allowed(*(bound.reshape(shape) for bound in (differences.error, *bounds[1:]))),
    )


def _counted(number: int, singular: str, plural: str) -> str:
    return f"{number} {singular if number == 1 else plural}"
