"""The parts of a checkpoint, and the checks of all of them before a run resumes."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import engines, validation
from batchprop.files import pytree
from batchprop.parameters import Shape
from batchprop.scaling import Scaling
from batchprop.solvers import registry
from batchprop.solvers.run_state import State, initial_state
from batchprop.solvers.settings import AUTO, SOLVERS
from batchprop.solvers.state_checks import check_state, require, require_finite
from batchprop.solvers.stopping import REASONS
from batchprop.training.checkpoint.fingerprint import VERSIONS, Fingerprint
from batchprop.training.option_checks import SolverSettings, solver_settings, stopping_rules
from batchprop.training.run_options import RunOptions

Array = npt.NDArray[Any]

# Why a run can have ended: by a rule, or from outside.
STOP_REASONS = (*REASONS.values(), "max_seconds", "callback", "interrupted")
_CHECKSUMS = 2**32


class Content(NamedTuple):
    """The parts of a checkpoint, which ``batchprop.Checkpoint`` describes."""

    arguments: dict[str, Any]
    shape: Shape
    samples: dict[str, Fingerprint]
    scaling: Scaling | None
    given: Array | None
    state: State
    loss_curve: Array
    validation_loss_curve: Array
    stop_reason: str


class Forms(NamedTuple):
    """Shapes and dtypes that the arrays of a checkpoint must have, as arrays without memory."""

    state: State
    scaling: Scaling | None
    given: Array


def check(content: Content) -> None:
    """Check a whole checkpoint; raise any exception if a run does not make such a one."""
    arguments, shape, samples = content.arguments, content.shape, content.samples
    forms = check_header(arguments, shape, samples, content.stop_reason)
    _check_form("state", content.state, forms.state)
    _check_form("scaling", content.scaling, forms.scaling)
    if content.given is not None:
        _check_form("given", content.given, forms.given)
    check_state(content.state)
    size, validation_size = curve_sizes(content.state, samples)
    _check_form("loss_curve", content.loss_curve, pytree.hollow((size,)))
    held_out = content.validation_loss_curve
    _check_form("validation_loss_curve", held_out, pytree.hollow((validation_size,)))
    check_values(content)


def check_header(
    arguments: dict[str, Any], shape: Shape, samples: dict[str, Fingerprint], reason: str
) -> Forms:
    """Check all parts but the arrays; return the forms that these must have."""
    require(reason in STOP_REASONS, "stop_reason", "be one that a run has")
    _check_samples(samples, shape)
    try:
        settings = _settings(arguments, shape, "X_val" in samples)
    except KeyError as error:
        raise ValueError(f"arguments: must have {error}") from None
    theta = pytree.hollow((shape.n_parameters,), validation.float_dtype(arguments["dtype"]))
    solver = registry.load(arguments["solver"])
    trained = pytree.hollow(theta.shape, solver.training_dtype(theta.dtype))
    state = initial_state(np.zeros(0), solver.memory_form(settings, theta.size))
    state = state._replace(theta=trained, previous=trained, best=trained)
    return Forms(state, _scaling_form(shape) if arguments["scale"] else None, theta)


def curve_sizes(state: State, samples: dict[str, Fingerprint]) -> tuple[int, int]:
    """Return the lengths of both loss curves.  The counts of the state must have been checked."""
    size = max(1, int(state.evaluations[0]))
    return size, size if "X_val" in samples else 0


def check_values(content: Content) -> None:
    """Check the values of arrays whose forms and counts have been checked."""
    options, state = RunOptions.of_checkpoint(content.arguments), content.state
    settings = solver_settings(options.solver, options, content.shape)
    registry.load(options.solver).check_memory(settings, state, content.stop_reason)
    if state.evaluations[0] > 0:
        require_finite("loss_curve", content.loss_curve)
        require_finite("validation_loss_curve", content.validation_loss_curve)
    if content.given is not None:
        require_finite("given", content.given)
    if content.scaling is not None:
        for name, array in pytree.flatten(content.scaling, "scaling").items():
            require_finite(name, array)
            require(name.endswith("_mean") or (array >= 0).all(), name, "not be negative")


def _settings(arguments: dict[str, Any], shape: Shape, validating: bool) -> SolverSettings:
    """Check the options of the run; return the solver's settings."""
    validation.choice("engine", arguments["engine"], engines.names())
    options = RunOptions.of_checkpoint(arguments)
    solver = validation.choice("solver", options.solver, SOLVERS)
    validation.activation(options.activation)
    validation.float_dtype(options.dtype)
    validation.flag("scale", options.scale)
    validation.penalty(options.alpha)
    validation.seed(options.seed)
    agrees = validation.count("hidden_size", options.hidden_size) == shape.n_hidden
    require(agrees, "arguments", "have the hidden_size of shape")
    stopping_rules(solver, options, AUTO, validating)
    return solver_settings(solver, options, shape)


def _check_samples(samples: dict[str, Fingerprint], shape: Shape) -> None:
    """Check the fingerprints of the data."""
    e, _, s = shape
    rows = {"X": (e,), "T": (s,), "sample_weight": ()}
    rows |= {f"{name}_val": sizes for name, sizes in rows.items()}
    require({"X", "T"} <= samples.keys() <= rows.keys(), "samples", "be those of X and T")
    require(("X_val" in samples) == ("T_val" in samples), "samples", "have X_val with T_val")
    weighted = "sample_weight_val" in samples
    require(not weighted or "X_val" in samples, "samples", "have weights with X_val")
    for name, fingerprint in samples.items():
        columns = samples["X_val" if name.endswith("_val") else "X"].shape[-1:]
        sizes = [validation.count("samples", size) for size in fingerprint.shape]
        fits = sizes == [*rows[name], *columns]
        require(fits, f"samples.{name}", f"fit the network {shape} and {columns} samples")
        checksum, total = fingerprint.checksum, fingerprint.total
        in_range = type(checksum) is int and 0 <= checksum < _CHECKSUMS
        require(in_range, f"samples.{name}", "have a checksum of 32 bits")
        version = fingerprint.version
        known = type(version) is int and version in VERSIONS
        require(known, f"samples.{name}", "have a known version")
        finite = type(total) in (int, float) and math.isfinite(total)
        require(finite, f"samples.{name}", "have a finite total")


def _scaling_form(shape: Shape) -> Scaling:
    inputs, outputs = pytree.hollow(shape[:1]), pytree.hollow(shape[2:])
    return Scaling(inputs, inputs, outputs, outputs, outputs)


def _check_form(name: str, tree: Any, like: Any) -> None:
    """Check that two nested tuples of arrays have the same types, names, shapes and dtypes."""
    require(type(tree) is type(like), name, f"be of type {type(like).__name__}")
    if isinstance(like, tuple):
        for field in like._fields:  # type: ignore[attr-defined]
            _check_form(f"{name}.{field}", getattr(tree, field), getattr(like, field))
    elif like is not None and (tree.shape != like.shape or tree.dtype != like.dtype):
        raise ValueError(f"{name}: must have shape {like.shape} and dtype {like.dtype}")
