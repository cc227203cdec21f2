"""Sample weights with their default, and the summation that the naive engine uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def weights_or_ones(sample_weight: Sequence[float] | None, n_samples: int) -> Sequence[float]:
    """Return one weight per sample; by default every weight is 1."""
    if sample_weight is None:
        return [1.0] * n_samples
    if len(sample_weight) != n_samples:
        raise ValueError(f"{len(sample_weight)} sample weights for {n_samples} samples")
    return sample_weight


def plain_sum(values: Iterable[float]) -> float:
    """Return the sum, added from first to last.

    The built-in ``sum`` uses compensated summation from Python 3.12 on; the definition must not
    depend on the interpreter.
    """
    total = 0.0
    for value in values:
        total += value
    return total
