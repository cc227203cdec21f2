"""What a gradient check found: one comparison per block and method, and a table of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from batchprop.gradient_check.problem import BLOCKS
from batchprop.parameters import Shape

Verdict = Literal["ok", "WRONG", "inconclusive"]

LARGEST = 1e-3  # no relative error above this is accepted, whatever the rounding


@dataclass(frozen=True)
class Comparison:
    """One block of the gradient, or the loss, against one method.

    Attributes
    ----------
    block : str
        "W_h", "b_h", "W_y", "b_y" or "loss".
    method : str
        What it was compared with.
    checked : str
        How many entries or directions.
    relative_error : float
        ‖given − expected‖ / ‖expected‖ over what was compared.
    floor : float
        The relative error that rounding alone, the engine's and the method's, may reach.
    tolerance : float
        The relative error up to which the block is accepted, at most 1e-3.
    verdict : {"ok", "WRONG", "inconclusive"}
        WRONG if one entry or more is further off than all known sources of error explain;
        inconclusive if rounding or a kink hides whether it is right to 1e-3.
    note : str
        What stands out: the worst entry, a common factor, why it is inconclusive.
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
    """Result of `batchprop.check_gradient`; ``print`` shows it as a table.

    Attributes
    ----------
    engine : str
        Name of what was checked.
    shape : Shape
        Sizes of the network.
    activation, dtype : str
        Of the network.
    n_samples : int
        N.
    comparisons : tuple of Comparison
        In the order of the table.
    alpha : tuple of two floats
        The penalty, (α_h, α_y).
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
        return tuple(one for one in self.comparisons if one.block == block)

    def verdict(self, block: str) -> Verdict:
        """Return the verdict on one block, or on the ``"loss"``, over all methods.

        WRONG if one method says so.  A gradient block is ok if one method can tell that it is; the
        loss if both of its values are.
        """
        verdicts = [one.verdict for one in self.of(block)]
        if "WRONG" in verdicts:
            return "WRONG"
        enough = all if block == "loss" else any
        return "ok" if enough(verdict == "ok" for verdict in verdicts) else "inconclusive"

    @property
    def passed(self) -> bool:
        """True if the loss and every block are known to be right."""
        return all(self.verdict(block) == "ok" for block in ("loss", *BLOCKS))

    def __bool__(self) -> bool:
        """Return ``passed``, so that a bare ``assert check_gradient(...)`` means what it says."""
        return self.passed

    @property
    def relative_errors(self) -> dict[str, float]:
        """Block -> its largest relative error over the methods that could judge it."""
        return {block: max(one.relative_error for one in self._judging(block)) for block in BLOCKS}

    @property
    def floors(self) -> dict[str, float]:
        """Block -> the largest floor of these methods."""
        return {block: max(one.floor for one in self._judging(block)) for block in BLOCKS}

    @property
    def tolerances(self) -> dict[str, float]:
        """Block -> the largest tolerance of these methods."""
        return {block: max(one.tolerance for one in self._judging(block)) for block in BLOCKS}

    @property
    def relative_errors_by_method(self) -> dict[str, dict[str, float]]:
        """Method -> block -> relative error, inconclusive comparisons included."""
        errors: dict[str, dict[str, float]] = {}
        for one in self.comparisons:
            if one.block in BLOCKS:
                errors.setdefault(one.method, {})[one.block] = one.relative_error
        return errors

    def _judging(self, block: str) -> tuple[Comparison, ...]:
        """Return the comparisons of a block that came to a verdict; all of them if none did."""
        found = self.of(block)
        return tuple(one for one in found if one.verdict != "inconclusive") or found

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
        rows = [_cells(one) for one in self.comparisons]
        notes = [f"{one.block}, {one.method}: {one.note}" for one in self.comparisons if one.note]
        return "\n".join([head, "", *_table(titles, rows), *([""] if notes else []), *notes])


def _cells(one: Comparison) -> tuple[str, ...]:
    numbers = (one.relative_error, one.floor, one.tolerance)
    return (one.block, one.method, one.checked, *(f"{x:.1e}" for x in numbers), one.verdict)


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Lay cells out in columns, numbers to the right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    align = ("<", "<", ">", ">", ">", ">", "<")
    lines = [
        "  ".join(f"{cell:{a}{w}}" for cell, a, w in zip(row, align, widths, strict=True)).rstrip()
        for row in [titles, *rows]
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]
