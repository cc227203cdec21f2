"""What the samples count: all one, or the sample weights given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def weights_or_ones(sample_weight: Sequence[float] | None, n_samples: int) -> Sequence[float]:
    """Return one weight a sample; without sample weights every sample counts once."""
    if sample_weight is None:
        return [1.0] * n_samples
    if len(sample_weight) != n_samples:
        raise ValueError(f"{len(sample_weight)} sample weights for {n_samples} samples")
    return sample_weight


def plain_sum(values: Iterable[float]) -> float:
    """Add from first to last.

    The built-in ``sum`` compensates its rounding from Python 3.12 on; the definition should
    not change with the interpreter.
    """
    total = 0.0
    for value in values:
        total += value
    return total
