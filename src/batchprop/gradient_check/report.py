"""The report of a gradient check: one comparison per block and method, shown as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from batchprop.gradient_check.problem import BLOCKS
from batchprop.parameters import Shape

Verdict = Literal["ok", "WRONG", "inconclusive"]

MAX_RELATIVE_ERROR = 1e-3  # larger relative errors never pass, whatever the rounding


@dataclass(frozen=True)
class Comparison:
    """The result for one block of the gradient, or for the loss, by one method.

    Attributes
    ----------
    block : str
        "W_h", "b_h", "W_y", "b_y" or "loss".
    method : str
        What the engine was compared with.
    checked : str
        The number of entries or directions that were compared.
    relative_error : float
        ‖returned − expected‖ / ‖expected‖ over all compared numbers.
    floor : float
        The relative error that rounding alone, in the engine and in the method, can cause.
    tolerance : float
        The relative error up to which the block is accepted, at most 1e-3.
    verdict : {"ok", "WRONG", "inconclusive"}
        WRONG if at least one entry deviates by more than all known sources of error explain;
        inconclusive if rounding or a kink makes an accuracy of 1e-3 unverifiable.
    note : str
        What stands out: the worst entry, a common factor, or why it is inconclusive.
    """

    block: str
    method: str
    checked: str
    relative_error: float
    floor: float
    tolerance: float
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class GradientReport:
    """The result of `batchprop.check_gradient`; ``print(report)`` shows it as a table.

    Attributes
    ----------
    engine : str
        Name of the engine or function that was checked.
    shape : Shape
        Sizes of the network.
    activation, dtype : str
        The network's activation and dtype.
    n_samples : int
        N.
    comparisons : tuple of Comparison
        All comparisons, in the order of the table.
    alpha : tuple of two floats
        The penalties (α_h, α_y).
    """

    engine: str
    shape: Shape
    activation: str
    dtype: str
    n_samples: int
    comparisons: tuple[Comparison, ...]
    alpha: tuple[float, float] = (0.0, 0.0)

    def of(self, block: str) -> tuple[Comparison, ...]:
        """Return the comparisons of one block, or of the ``"loss"``."""
        return tuple(comparison for comparison in self.comparisons if comparison.block == block)

    def verdict(self, block: str) -> Verdict:
        """Return the verdict over all methods on one block, or on the ``"loss"``.

        WRONG if any method says so.  A block of the gradient is ok if at least one method says so;
        the loss is ok if all its comparisons are.
        """
        verdicts = [comparison.verdict for comparison in self.of(block)]
        if "WRONG" in verdicts:
            return "WRONG"
        enough = all if block == "loss" else any
        return "ok" if enough(verdict == "ok" for verdict in verdicts) else "inconclusive"

    @property
    def passed(self) -> bool:
        """True if the loss and every block of the gradient are ok."""
        return all(self.verdict(block) == "ok" for block in ("loss", *BLOCKS))

    def __bool__(self) -> bool:
        """Return ``passed``, so that ``assert check_gradient(...)`` works."""
        return self.passed

    @property
    def relative_errors(self) -> dict[str, float]:
        """Largest relative error of each block over the methods that reached a verdict."""
        return {
            block: max(comparison.relative_error for comparison in self._judging(block))
            for block in BLOCKS
        }

    @property
    def floors(self) -> dict[str, float]:
        """Largest floor of each block over the same methods."""
        return {
            block: max(comparison.floor for comparison in self._judging(block)) for block in BLOCKS
        }

    @property
    def tolerances(self) -> dict[str, float]:
        """Largest tolerance of each block over the same methods."""
        return {
            block: max(comparison.tolerance for comparison in self._judging(block))
            for block in BLOCKS
        }

    @property
    def relative_errors_by_method(self) -> dict[str, dict[str, float]]:
        """Relative errors by method and block, including inconclusive comparisons."""
        errors: dict[str, dict[str, float]] = {}
        for comparison in self.comparisons:
            if comparison.block in BLOCKS:
                errors.setdefault(comparison.method, {})[comparison.block] = (
                    comparison.relative_error
                )
        return errors

    def _judging(self, block: str) -> tuple[Comparison, ...]:
        """Return a block's comparisons that are not inconclusive; all of them if none is."""
        comparisons = self.of(block)
        judged = tuple(row for row in comparisons if row.verdict != "inconclusive")
        return judged or comparisons

    def __str__(self) -> str:
        """Return the table."""
        alphas = " and ".join(f"{alpha:g}" for alpha in dict.fromkeys(self.alpha))
        penalty = f", alpha {alphas}" if any(self.alpha) else ""
        head = (
            f"Gradient check of {self.engine}: {'passed' if self.passed else 'NOT PASSED'}\n"
            f"network {self.shape}, {self.activation}, {self.dtype}; "
            f"{self.n_samples} samples{penalty}"
        )
        titles = (
            "block",
            "compared with",
            "checked",
            "rel. error",
            "floor",
            "tolerance",
            "verdict",
        )
        rows = [_cells(comparison) for comparison in self.comparisons]
        notes = [
            f"{comparison.block}, {comparison.method}: {comparison.note}"
            for comparison in self.comparisons
            if comparison.note
        ]
        return "\n".join([head, "", *_table(titles, rows), *([""] if notes else []), *notes])


def _cells(comparison: Comparison) -> tuple[str, ...]:
    numbers = (comparison.relative_error, comparison.floor, comparison.tolerance)
    return (
        comparison.block,
        comparison.method,
        comparison.checked,
        *(f"{x:.1e}" for x in numbers),
        comparison.verdict,
    )


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table with right-aligned numbers."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    align = ("<", "<", ">", ">", ">", ">", "<")
    lines = [
        "  ".join(f"{cell:{a}{w}}" for cell, a, w in zip(row, align, widths, strict=True)).rstrip()
        for row in [titles, *rows]
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]
