"""Measure the errors of the fused engine's σ and σ′, and write the table in ``docs/accuracy.md``.

float32 is compared with float64, and float64 with extended precision where the platform has it.
``tests/engines/fused/test_activation_kernels.py`` asserts the bounds and compares float64 with
mpmath.

    PYTHONPATH=src python tools/sigma_accuracy.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.activations import ACTIVATIONS
from batchprop.compiler.jit import kernel
from batchprop.engines.fused.activation_kernels import sigma, sigma_prime
from batchprop.simd.load_store import load, store
from batchprop.simd.vectors import WIDE, lanes

Array = npt.NDArray[Any]


class Bound(NamedTuple):
    """Guaranteed bounds for both dtypes: of σ in ulp of the result, of σ′ in ulp of 1."""

    sigma: float
    slope: float


BOUNDS = {
    "identity": Bound(0, 0),
    "logistic": Bound(2.5, 1),
    "tanh": Bound(3, 3),
    "relu": Bound(0, 0),
    "softplus": Bound(3, 1),
    "elu": Bound(1.5, 1),
    "softsign": Bound(1.5, 1),
}
WIDER = {np.dtype(np.float32): np.float64, np.dtype(np.float64): np.longdouble}
SATURATED = (10, 20, 40, 1e30, 1e300)  # near these, implementations switch to their limits
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "accuracy.md"
BEGIN, END = "<!-- made by tools/sigma_accuracy.py -->", "<!-- end -->"


@kernel
def _rows(code, Z, H, D, width):
    for i in range(0, Z.size, width):
        h = sigma(code, load(Z, i, WIDE))
        store(H, i, h)
        store(D, i, sigma_prime(code, h))


def evaluate(name: str, z: Array) -> tuple[Array, Array]:
    """Return h = σ(z) and σ′(z), evaluated from h, as the kernels compute them."""
    width = lanes(z.dtype.itemsize * 8, WIDE)
    padded = np.zeros(-(-z.size // width) * width, z.dtype)
    padded[: z.size] = z
    h, derivative = np.empty_like(padded), np.empty_like(padded)
    _rows(ACTIVATIONS[name].code, padded, h, derivative, width)
    return h[: z.size], derivative[: z.size]


def reference(name: str, z: Array, dtype: Any) -> tuple[Array, Array]:
    """Return σ(z) and σ′(z) in a wider dtype, from formulas without cancellation."""
    z = z.astype(dtype)
    t, positive, one = np.exp(-abs(z)), z > 0, np.ones_like(z)
    slope_of_softplus = np.where(positive, one, t) / (one + t)
    return {
        "identity": (z, one),
        "logistic": (slope_of_softplus, t / (one + t) ** 2),
        "tanh": (np.tanh(z), (2 * t / (one + t * t)) ** 2),
        "relu": (np.maximum(z, 0), positive.astype(dtype)),
        "softplus": (np.maximum(z, 0) + np.log1p(t), slope_of_softplus),
        "elu": (np.where(positive, z, np.expm1(-abs(z))), np.where(positive, one, t)),
        "softsign": (z / (one + abs(z)), (one / (one + abs(z))) ** 2),
    }[name]


def points(dtype: Any, count: int, seed: int = 0) -> Array:
    """Return arguments of all magnitudes, dense near critical points and where σ saturates."""
    rng, limits = np.random.default_rng(seed), np.finfo(dtype)
    overflow = 1.1 * float(np.log(limits.max))
    low, high = np.log2(float(limits.smallest_subnormal)), np.log2(float(limits.max)) - 0.01
    sign = rng.choice([-1.0, 1.0], (2, count))
    critical_points = [
        *np.log(2) / 4 * np.arange(1, 30),
        -np.log(float(limits.smallest_normal)),
        *SATURATED,
    ]
    near = np.outer(critical_points, 1 + float(limits.eps) * np.arange(-20, 21)).ravel()
    points_by_kind = (
        near,
        -near,
        *(rng.uniform(-end, end, count) for end in (1, 3, 20, overflow)),
        sign[0] * np.exp2(rng.uniform(-30, 6, count)),
        sign[1] * np.exp2(rng.uniform(low, high, count)),
    )
    return np.clip(np.concatenate(points_by_kind), -limits.max, limits.max).astype(dtype)


def spacing(exact: Array, dtype: Any) -> Array:
    """Return the ulp of ``dtype`` at results that are given in a wider dtype."""
    limits = np.finfo(dtype)
    exponent = np.maximum(np.frexp(exact)[1] - 1, limits.minexp)
    return np.ldexp(np.ones_like(exact), exponent - limits.nmant)


def sigma_error(h: Array, exact: Array) -> Array:
    """Return the error of σ in ulp; 0 is accepted for results below the smallest normal number."""
    as_zero = (h == 0) & (abs(exact) < float(np.finfo(h.dtype).smallest_normal))
    error = abs(h.astype(exact.dtype) - exact) / spacing(exact, h.dtype)
    return np.where(as_zero, 0, error)


def slope_error(derivative: Array, exact: Array) -> Array:
    """Return the error of σ′ in ulp of 1."""
    return abs(derivative.astype(exact.dtype) - exact) / float(np.finfo(derivative.dtype).eps)


def worst(name: str, dtype: Any, count: int) -> Bound:
    """Return the largest measured errors."""
    z = points(dtype, count)
    (h, derivative), exact = evaluate(name, z), reference(name, z, WIDER[np.dtype(dtype)])
    return Bound(
        float(sigma_error(h, exact[0]).max()), float(slope_error(derivative, exact[1]).max())
    )


def table(count: int = 300_000) -> str:
    """Return a Markdown table of the bounds and the measured errors."""
    lines = [
        "| activation | σ, ulp: bound | seen, float32 | seen, float64 "
        "| σ′, ulp of 1: bound | seen, float32 | seen, float64 |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, bound in BOUNDS.items():
        measured = [worst(name, dtype, count) for dtype in (np.float32, np.float64)]
        cells = [f"{bound.sigma:g}", *(f"{each.sigma:.2f}" for each in measured)]
        cells += [f"{bound.slope:g}", *(f"{each.slope:.2f}" for each in measured)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}", "utf-8")
