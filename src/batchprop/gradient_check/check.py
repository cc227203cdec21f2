"""The check itself: what is compared with what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import engines, penalty, validation
from batchprop.gradient_check.compare import RELATIVE, Allowed, compare
from batchprop.gradient_check.complex_step import complex_step
from batchprop.gradient_check.engine_under_test import Subject
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
    """Compare a loss and its gradient with independent ways to get them.

    Three things are compared:

    - the loss, with the definition L = Σ_i w_i ‖y_i − t_i‖² / Σ_i w_i written once more;
    - every entry of the gradient, with the complex step applied to that definition;
    - the gradient, with central differences of the *same engine's* loss (SciPy's
      ``approx_fprime``, in float64 also for a float32 network), so that a loss and a gradient
      that do not belong together are found out.

    Parameters
    ----------
    network : Network
        Where to check.
    X : array_like, shape (e, N)
        Inputs, one sample a column.
    T : array_like, shape (s, N)
        Targets.
    engine : {"fused", "vectorized", "naive"} or callable
        What to check.  A function ``engine(network, X, T, sample_weight)`` returns the loss and
        the gradient: a `Gradient`, a flat (P,) array, or the four blocks in the order W_h, b_h,
        W_y, b_y.  It is also called with float64 networks and other parameters, and must not
        write to its arguments.
    sample_weight : array_like, shape (N,), or None
        Non-negative weights.
    n_threads : int or None
        As in `loss_and_gradient`.
    n_probes : int or None
        At most so many finite differences per block; larger blocks are differenced in random
        directions.  None chooses by the size of the work.
    seed : int
        Of these directions.
    alpha : float, or pair of floats
        α ≥ 0: check J = L + (α/Σw) (‖W_h‖² + ‖W_y‖²) and its gradient in place of L and its own;
        a pair has one α for each of the two.  A function that is checked adds the penalty to both
        itself.

    Returns
    -------
    GradientReport
        ``report.passed``, ``report.relative_errors`` per block; ``print(report)`` is a table.

    Raises
    ------
    TypeError, ValueError
        An argument does not fit, or a function returns something else than asked for.

    Notes
    -----
    Every difference is judged by a bound of the rounding errors that can part the two numbers (a
    running error analysis), never by an absolute tolerance, and no relative error above 1e-3
    passes.  A block that cannot be judged that well is reported as inconclusive, and ``passed`` is
    then False: at a minimum, for example, where nothing is left of the gradient but rounding.

    Of relu, elu and softsign, which have a kink at z = 0, the complex step follows either piece,
    with σ′(0) of the piece z < 0; differences take shorter steps so as not to cross a kink, and
    where a sample lies on one, their floor grows by what it can do.
    """
    validation.network(network, Network)
    e, _, s = network.shape
    X, T = validation.tables(X, T, e, s, dtype=network.dtype)
    weight = validation.sample_weight(sample_weight, X.shape[1], X.shape[0])
    if not callable(engine):
        engine = validation.choice("engine", engine, engines.ENGINES)
    threads = validation.n_threads(n_threads)
    probes = validation.optional_count("n_probes", n_probes)
    rng = np.random.default_rng(validation.seed(seed))
    both = validation.penalty(alpha)
    rates = penalty.rates_of(both, X.shape[1], weight)

    # What the engine computes with is what it is to be compared on.
    X, T = X.astype(network.dtype, copy=False), T.astype(network.dtype, copy=False)
    theta = network.theta.astype(np.float64)
    problem = Problem(theta, network.shape, network.activation, X, T, weight, rates)
    if probes is None:
        loops = callable(engine) or engine == "naive"
        probes = default_probes(network.shape, X.shape[1], loops)
    with np.errstate(all="ignore"), Subject(problem, engine, threads) as subject:
        comparisons = tuple(_comparisons(problem, subject, network.dtype, probes, rng))
    return GradientReport(
        subject.name,
        network.shape,
        network.activation,
        str(network.dtype),
        X.shape[1],
        comparisons,
        both,
    )


def _comparisons(
    problem: Problem, subject: Subject, dtype: np.dtype[Any], probes: int, rng: np.random.Generator
) -> Iterator[Comparison]:
    """Yield the rows of the report."""
    loss, gradient = subject.loss_and_gradient(dtype)
    relative = RELATIVE[gradient.dtype]
    defined = complex_step(problem)
    exact = rounding(problem, _DOUBLE, cancels=False)  # the definition's own
    coarse = rounding(problem, gradient.dtype, cancels=True)  # the engine's
    gradient = gradient.astype(np.float64)

    yield _loss_row("returned", loss, defined.loss, (exact.loss, coarse.loss, relative))
    fine = (
        exact.loss
        if subject.precision == _DOUBLE
        else rounding(problem, subject.precision, cancels=True).loss
    )
    alone = subject.loss(problem.theta)
    yield _loss_row(
        "differenced", alone, defined.loss, (exact.loss, fine, RELATIVE[subject.precision])
    )

    allowed = Allowed(exact.gradient, coarse.gradient, relative * np.abs(defined.gradient))
    for name in BLOCKS:
        part = problem.section(name)
        of_block = Allowed(*(bound[part] for bound in allowed))
        yield _complex_step_row(problem, name, gradient[part], defined.gradient[part], of_block)

        towards = directions(part.stop - part.start, probes, rng)
        found = central_differences(subject.loss, problem, name, towards, defined.gradient, fine)
        yield _differences_row(problem, name, gradient[part], found, towards, of_block)


def _loss_row(
    method: str, given: float, expected: float, bounds: tuple[float, float, float]
) -> Comparison:
    """Return the row that compares a loss with the definition."""
    exact, coarse, relative = bounds
    sizes = (exact, coarse, relative * abs(expected))
    allowed = Allowed(*(np.array([bound]) for bound in sizes))
    return compare("loss", method, "value", np.array([given]), np.array([expected]), allowed)


def _complex_step_row(
    problem: Problem, name: str, given: Array, expected: Array, allowed: Allowed
) -> Comparison:
    """Return the row that compares a block with the gradient of the definition."""
    shape = getattr(problem.blocks, name).shape
    return compare(
        name,
        "complex step",
        _counted(given.size, "entry", "entries"),
        given.reshape(shape),
        expected.reshape(shape),
        Allowed(*(bound.reshape(shape) for bound in allowed)),
    )


def _differences_row(
    problem: Problem,
    name: str,
    given: Array,
    found: Differences,
    towards: Array,
    allowed: Allowed,
) -> Comparison:
    """Return the row that compares a block with differences of the engine's own loss."""
    if len(towards) == given.size:
        checked = _counted(given.size, "entry", "entries")
        shape = getattr(problem.blocks, name).shape
        bounds = [towards @ bound for bound in allowed]
    else:
        checked = _counted(len(towards), "direction", "directions")
        shape = (len(towards),)
        # The directions' signs are drawn after the errors were made: these add up as a random sum
        # does, of a standard deviation that their root of squares bounds.
        bounds = [np.full(len(towards), 6 * np.linalg.norm(bound)) for bound in allowed]
    return compare(
        name,
        "finite differences",
        checked,
        (towards @ given).reshape(shape),
        found.derivative.reshape(shape),
        Allowed(*(bound.reshape(shape) for bound in (found.error, *bounds[1:]))),
    )


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
