"""The data of one call: checked, standardised and fingerprinted once for all networks."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy.typing as npt

from batchprop import scaling, validation
from batchprop.training import options
from batchprop.training.checkpoint import fingerprint
from batchprop.training.checkpoint.fingerprint import Fingerprint
from batchprop.validation.orientation import seem_transposed
from batchprop.vocabulary import COLUMNS, Words


class Found(NamedTuple):
    """What is known of the data of one network.

    Attributes
    ----------
    data : Data
        Checked.
    scaling : Scaling or None
        How they are standardised, None where they are not.
    samples : dict of str to Fingerprint
        What to know them by in a later process.
    """

    data: options.Data
    scaling: scaling.Scaling | None
    samples: dict[str, Fingerprint]


class Known:
    """X and T, and what was found out about them together with others' arguments.

    Parameters
    ----------
    X, T : array_like, shapes (e, N) and (s, N)
        As given by the user.
    words : Words
        What the user calls them.
    """

    def __init__(self, X: npt.ArrayLike, T: npt.ArrayLike, words: Words = COLUMNS) -> None:
        self.words = words
        self._tables = X, T
        self._checked: dict[tuple[Any, ...], Found] = {}
        self._kept: list[Any] = []  # an id is nobody else's as long as its array lives

    def of(
        self, given: Mapping[str, Any], start: options.Start, scaled: bool, stacklevel: int
    ) -> Found:
        """Return what is known of the data that a network is trained on; check them if need be."""
        weight, X_val, T_val = (given[name] for name in ("sample_weight", "X_val", "T_val"))
        sizes = None if start.network is None else start.network.shape[::2]
        tables = id(X_val), id(T_val), start.dtype, sizes
        whole = id(weight), scaled, *tables
        if whole in self._checked:
            return self._checked[whole]
        self._kept += weight, X_val, T_val
        if tables not in self._checked:
            data = options.data(*self._tables, X_val, T_val, start, self.words)
            self._checked[tables] = Found(data, None, fingerprint.of_samples(data))
            if start.network is None and given["resume"] is None:  # else sizes were chosen before
                self._question(data, stacklevel + 1)
        data, _, samples = self._checked[tables]
        weights = validation.sample_weight(weight, *data.X.shape[::-1])
        if weights is not None:
            data = data._replace(sample_weight=weights)
            samples = samples | {"sample_weight": fingerprint.of(weights)}
        by = scaling.Scaling.of(data.X, data.T, weights) if scaled else None
        if by is not None:
            dtype = start.dtype or data.X.dtype
            scaling.warn(by, dtype, self.words, stacklevel=stacklevel + 1)
        self._checked[whole] = Found(data, by, samples)
        return self._checked[whole]

    def _question(self, data: options.Data, stacklevel: int) -> None:
        """Warn of tables whose rows seem to be samples, though their shapes agree."""
        (e, n_samples), shape_t = data.X.shape, data.T.shape
        if self.words.rows_are_samples or not seem_transposed((e, n_samples), shape_t):
            return
        turned = "X.T, T.T" if data.X_val is None else "X.T, T.T, X_val.T, T_val.T"
        several = "s" if n_samples > 1 else ""
        warnings.warn(
            f"Rows of X and T seem to be samples: X {data.X.shape} and T {shape_t} are read as "
            f"{n_samples} sample{several} of {e} inputs and {e} outputs. If rows are samples, pass "
            f"{turned}.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
