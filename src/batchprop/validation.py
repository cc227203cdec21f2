"""Every public argument is checked here, once, before any work is done.

Each message says what was given, what was expected and what to do.
"""

from __future__ import annotations

import difflib
import math
import numbers
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.activations import ACTIVATIONS

Array = npt.NDArray[Any]

_BLOCK = 1 << 20  # elements looked at together when a table is searched for NaN and inf


def choice(name: str, value: object, known: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``known``; else name the nearest one."""
    if not isinstance(value, str):
        raise TypeError(
            f"{name} must be one of {', '.join(known)}; got {value!r} of type "
            f"{type(value).__name__}. Pass its name as a string."
        )
    if value in known:
        return value
    near = difflib.get_close_matches(value.lower(), known, n=1, cutoff=0.4)
    hint = (
        f"Did you mean {near[0]!r}?" if near else f"Choose, for example, {known[0]!r}."
    )
    raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}. {hint}")


def activation(value: object) -> str:
    """Return the name of an activation."""
    return choice("activation", value, tuple(ACTIVATIONS))


def count(name: str, value: object, least: int = 1) -> int:
    """Return an integer that is at least ``least``."""
    try:
        if isinstance(value, bool | np.bool):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"{name} must be an integer of at least {least}; got {value!r} of type "
            f"{type(value).__name__}. Pass a whole number such as {max(least, 10)}."
        ) from None
    if number < least:
        raise ValueError(
            f"{name} must be at least {least}; got {number}. Pass a larger whole number."
        )
    return number


def optional_count(name: str, value: object, least: int = 1) -> int | None:
    """Return a count, or None where None was given."""
    return None if value is None else count(name, value, least)


def number(
    name: str,
    value: object,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
) -> float:
    """Return a finite real number with ``above < value``, ``least <= value < below``."""
    bounds = [
        text
        for text, bound in (
            (f"greater than {above:g}", above),
            (f"at least {least:g}", least),
            (f"less than {below:g}", below),
        )
        if math.isfinite(bound)
    ]
    expected = " and ".join(bounds) or "finite"
    if isinstance(value, bool | np.bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{name} must be a real number {expected}; got {value!r} of type "
            f"{type(value).__name__}. Pass a float."
        )
    real = float(value)
    if not (math.isfinite(real) and real > above and least <= real < below):
        raise ValueError(
            f"{name} must be {expected}; got {value!r}. Pass a finite number in that range."
        )
    return real


def optional_number(
    name: str, value: object, *, above: float = -math.inf, least: float = -math.inf
) -> float | None:
    """Return a number, or None where None was given (None switches the rule off)."""
    return None if value is None else number(name, value, above=above, least=least)


def seed(value: object) -> int | None:
    """Return a non-negative integer seed, or None."""
    return optional_count("seed", value, least=0)


def n_threads(value: object) -> int | None:
    """Return a number of threads, or None."""
    return optional_count("n_threads", value)


def flag(name: str, value: object) -> bool:
    """Return a truth value; a string or a number is most likely a mistake."""
    if isinstance(value, bool | np.bool):
        return bool(value)
    raise TypeError(
        f"{name} must be True or False; got {value!r} of type {type(value).__name__}. "
        f"Pass a bool."
    )


def function(name: str, value: object) -> None:
    """Check that ``value`` is None or can be called."""
    if value is not None and not callable(value):
        raise TypeError(
            f"{name} must be None or a function; got {value!r} of type {type(value).__name__}. "
            f"Pass the function itself, without calling it."
        )


def float_dtype(value: npt.DTypeLike) -> np.dtype[Any]:
    """Return float32 or float64 as a dtype."""
    try:
        dtype = np.dtype(value)
    except TypeError:
        dtype = None
    if dtype is None or dtype.newbyteorder("=") not in (np.dtype("f4"), np.dtype("f8")):
        raise ValueError(
            f"dtype must be float32 or float64; got {value!r}. "
            f"float64 is the safe choice, float32 the faster one."
        )
    return dtype.newbyteorder("=")


def real_array(name: str, value: npt.ArrayLike) -> Array:
    """Return an aligned, native float32 or float64 array; no copy if it is one already."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError(
            f"{name} must be an array of real numbers; got a masked array with masked entries. "
            f"Fill them, or drop those samples (a sample_weight of 0 leaves a sample out)."
        )
    if hasattr(value, "tocsr"):
        raise TypeError(
            f"{name} must be a dense array; got the sparse {type(value).__name__}. "
            f"Pass {name}.toarray()."
        )
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} must be a rectangular array of real numbers; got rows of different lengths. "
            f"Make all rows equally long."
        ) from None
    if array.dtype.kind not in "fiub":
        kind = "complex numbers" if array.dtype.kind == "c" else f"dtype {array.dtype}"
        remedy = (
            f"Pass {name}.real, or real and imaginary parts as separate rows."
            if array.dtype.kind == "c"
            else f"Convert it with {name}.astype(float); encode categories as numbers first."
        )
        raise TypeError(f"{name} must hold real numbers; got {kind}. {remedy}")
    if array.dtype.newbyteorder("=") in (np.dtype("f4"), np.dtype("f8")):
        native = array.dtype.newbyteorder("=")
    else:
        native = np.dtype("f4") if array.dtype == np.dtype("f2") else np.dtype("f8")
    # require() copies only what is misaligned, byte-swapped or of another dtype
    return np.require(array, dtype=native, requirements="A")


def finite(name: str, array: Array) -> None:
    """Reject NaN and inf, naming the first place.

    The sum of a table with NaN or inf is never finite, and costs one pass and no memory; only if
    it is not finite (which overflow can also cause) are the elements looked at one by one.
    """
    if array.size <= 64:
        if np.isfinite(array).all():
            return
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(array.sum()):
                return
    rows = array.reshape(1, -1) if array.ndim == 1 else array
    step = max(1, _BLOCK // rows.shape[0])
    for start in range(0, rows.shape[1], step):
        bad = np.argwhere(~np.isfinite(rows[:, start : start + step]))
        if bad.size:
            row, column = int(bad[0, 0]), int(bad[0, 1]) + start
            place = f"{column}" if array.ndim == 1 else f"{row}, {column}"
            raise ValueError(
                f"{name} must be finite; got {rows[row, column]} at {name}[{place}]. "
                f"Remove or impute such samples first."
            )


def inputs(X: npt.ArrayLike, n_inputs: int | None = None, name: str = "X") -> Array:
    """Return X as a finite (e, N) array with e, N ≥ 1."""
    array = real_array(name, X)
    if array.ndim != 2:
        raise ValueError(
            f"{name} must have shape (e, N), one sample a column; got shape {array.shape}. "
            f"For a single input pass {name}[np.newaxis, :], for a single sample "
            f"{name}[:, np.newaxis]."
        )
    if array.size == 0:
        raise ValueError(
            f"{name} must hold at least one input and one sample; got shape {array.shape}. "
            f"Check how the table was selected."
        )
    if n_inputs is not None and array.shape[0] != n_inputs:
        transposed = array.shape[1] == n_inputs
        remedy = (
            f"If rows are samples in your table, pass {name}.T."
            if transposed
            else f"Pass the {n_inputs} inputs that the network was made for."
        )
        raise ValueError(
            f"{name} must have shape ({n_inputs}, N) for a network of {n_inputs} inputs; got "
            f"shape {array.shape}. {remedy}"
        )
    finite(name, array)
    return array


def targets(
    T: npt.ArrayLike, X: Array, n_outputs: int | None = None, names: str = "X T"
) -> Array:
    """Return T as a finite (s, N) array that belongs to X (e, N)."""
    name_x, name = names.split()
    array = real_array(name, T)
    n_samples = X.shape[1]
    s = "s" if n_outputs is None else n_outputs
    if array.ndim != 2:
        remedy = (
            f"Pass {name}[np.newaxis, :]."
            if array.ndim == 1
            else f"Pass one row an output and one column a sample of {name_x}."
        )
        raise ValueError(
            f"{name} must have shape ({s}, {n_samples}), one sample a column; got shape "
            f"{array.shape}. {remedy}"
        )
    if array.shape[1] != n_samples or array.shape[0] == 0:
        if array.shape[0] == n_samples:
            remedy = f"Rows seem to be samples: pass {name}.T."
        elif X.shape[0] == array.shape[0] or X.shape[0] == array.shape[1]:
            remedy = f"Samples are columns here: if {name_x} has samples as rows, pass {name_x}.T."
        else:
            remedy = f"{name_x} and {name} must describe the same samples, as columns."
        raise ValueError(
            f"{name} must have shape ({s}, {n_samples}) like the {n_samples} samples (columns) of "
            f"{name_x} {X.shape}; got shape {array.shape}. {remedy}"
        )
    if n_outputs is not None and array.shape[0] != n_outputs:
        raise ValueError(
            f"{name} must have shape ({n_outputs}, {n_samples}) for a network of {n_outputs} "
            f"outputs; got shape {array.shape}. Pass one row an output, or make a network with "
            f"{array.shape[0]} outputs."
        )
    finite(name, array)
    return array


def sample_weight(weight: npt.ArrayLike | None, n_samples: int) -> Array | None:
    """Return finite, non-negative weights (N,) with a positive sum, as float64, or None."""
    if weight is None:
        return None
    array = real_array("sample_weight", weight)
    if array.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},), one weight a sample; got shape "
            f"{array.shape}. Pass a flat array as long as X has columns."
        )
    finite("sample_weight", array)
    if array.min() < 0:
        raise ValueError(
            f"sample_weight must not be negative; got {array.min()} at "
            f"sample_weight[{int(array.argmin())}]. Use 0 to leave a sample out."
        )
    array = np.ascontiguousarray(array, np.float64)
    if not 0 < array.sum() < np.inf:
        raise ValueError(
            f"sample_weight must have a positive, finite sum; got {array.sum()}. "
            f"Give at least one sample a positive weight."
        )
    return array


def theta(value: npt.ArrayLike, n_parameters: int) -> Array:
    """Return a finite flat vector of parameters."""
    array = real_array("theta", value)
    if array.shape != (n_parameters,):
        raise ValueError(
            f"theta must have shape ({n_parameters},); got shape {array.shape}. "
            f"Its order is W_h, b_h, W_y, b_y, each row-major."
        )
    finite("theta", array)
    return np.ascontiguousarray(array)


def parameter_blocks(
    W_h: npt.ArrayLike, b_h: npt.ArrayLike, W_y: npt.ArrayLike, b_y: npt.ArrayLike
) -> list[Array]:
    """Return the four blocks in one dtype, checked to fit together."""
    named = {"W_h": W_h, "b_h": b_h, "W_y": W_y, "b_y": b_y}
    blocks = {name: real_array(name, value) for name, value in named.items()}
    for name, block in blocks.items():
        expected = (
            "(m, e)"
            if name == "W_h"
            else "(s, m)"
            if name == "W_y"
            else "one-dimensional"
        )
        if block.ndim != (2 if name.startswith("W") else 1) or block.size == 0:
            raise ValueError(
                f"{name} must be {expected} and not empty; got shape {block.shape}. "
                f"The blocks are W_h (m, e), b_h (m,), W_y (s, m), b_y (s,)."
            )
    m, s = blocks["W_h"].shape[0], blocks["W_y"].shape[0]
    for name, shape in (("b_h", (m,)), ("W_y", (s, m)), ("b_y", (s,))):
        if blocks[name].shape != shape:
            raise ValueError(
                f"{name} must have shape {shape} to fit W_h {blocks['W_h'].shape} and W_y "
                f"{blocks['W_y'].shape}; got shape {blocks[name].shape}. "
                f"The blocks are W_h (m, e), b_h (m,), W_y (s, m), b_y (s,)."
            )
    for name, block in blocks.items():
        finite(name, block)
    dtype = np.result_type(*blocks.values())
    return [block.astype(dtype, copy=False) for block in blocks.values()]


def network(value: object, kind: type) -> None:
    """Check that ``value`` is a network."""
    if not isinstance(value, kind):
        raise TypeError(
            f"network must be a batchprop.{kind.__name__}; got {type(value).__name__}. "
            f"Make one with batchprop.{kind.__name__}(W_h, b_h, W_y, b_y) or "
            f"batchprop.{kind.__name__}.initialize(e, m, s)."
        )
