"""The estimator's training data: checked as rows by scikit-learn, passed on as columns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import _check_sample_weight, check_array, validate_data

from batchprop import validation
from batchprop.sklearn.dense_inputs import dense
from batchprop.training.checkpoint import fingerprint
from batchprop.training.checkpoint.fingerprint import Fingerprint

Array = npt.NDArray[Any]

FLOATS = (np.float64, np.float32)  # dtypes that are kept; others are converted to the first


class Tables(NamedTuple):
    """The tables of a call of ``fit`` as the user passed them, with one sample per row."""

    X: Any
    y: Any
    sample_weight: Any = None
    X_val: Any = None
    y_val: Any = None
    sample_weight_val: Any = None


class Samples(NamedTuple):
    """Arguments of ``batchprop.train``, with one sample per column.

    Attributes
    ----------
    X, T : ndarray, shapes (e, N) and (s, N)
        Inputs and targets, views of the checked rows.
    sample_weight : ndarray, shape (N,), or None
        Sample weights.
    X_val, T_val : ndarray, shapes (e, N_val) and (s, N_val), or None
        Validation data.
    sample_weight_val : ndarray, shape (N_val,), or None
        The weights of the validation data.
    """

    X: Array
    T: Array
    sample_weight: Array | None = None
    X_val: Array | None = None
    T_val: Array | None = None
    sample_weight_val: Array | None = None

    @property
    def validating(self) -> bool:
        """Whether there are validation data."""
        return self.X_val is not None

    def validated_by(self, X_val: Array, y_val: Array) -> Samples:
        """Return the samples with these rows as validation data, whose weights are checked."""
        name, table = "sample_weight_val", "X_val"
        weight = validation.sample_weight(
            self.sample_weight_val, len(X_val), X_val.shape[1], name, table
        )
        return self._replace(X_val=X_val.T, T_val=y_val.T, sample_weight_val=weight)

    @property
    def beside_tables(self) -> dict[str, Any]:
        """The arguments but X and T, by name."""
        return {name: array for name, array in self._asdict().items() if name not in ("X", "T")}

    def match(self, other_fingerprints: dict[str, Fingerprint]) -> bool:
        """Return whether a run with these fingerprints was trained on the same samples."""
        arrays = {name: array for name, array in self._asdict().items() if array is not None}
        return arrays.keys() == other_fingerprints.keys() and all(
            fingerprint.of(arrays[name], other.version).agrees(other)
            for name, other in other_fingerprints.items()
        )


def checked(estimator: Any, X: Any, y: Any, reset: bool, name: str = "X") -> tuple[Array, Array]:
    """Return X and y, checked by scikit-learn; ``name`` is what the user calls X."""
    X, y = validate_data(
        estimator,
        X,
        y,
        reset=reset,
        dtype=FLOATS,
        accept_sparse="csr",
        multi_output=True,
        y_numeric=True,
    )
    return dense(X, name), y


def checked_inputs(estimator: Any, X: Any) -> Array:
    """Return the inputs to predict for, checked by scikit-learn."""
    return dense(validate_data(estimator, X, reset=False, dtype=FLOATS, accept_sparse="csr"))


def checked_weights(sample_weight: Any, X: Array) -> Array | None:
    """Return the sample weights, checked by scikit-learn."""
    if sample_weight is None:
        return None
    checked_weight: Array = _check_sample_weight(sample_weight, X, dtype=np.float64)
    return checked_weight


def checked_validation(
    estimator: Any, X_val: Any, y_val: Any, n_outputs: int
) -> tuple[Array, Array] | None:
    """Return the validation data with samples as rows, or None."""
    if (X_val is None) != (y_val is None):
        raise ValueError(
            "X_val and y_val must be given together; got one of them. Pass both, or neither."
        )
    if X_val is None:
        return None
    # checked here because the messages of ``checked`` would name X and y
    n_samples, n_features = check_array(
        X_val, dtype=FLOATS, accept_sparse="csr", input_name="X_val"
    ).shape
    n_targets = len(check_array(y_val, dtype="numeric", ensure_2d=False, input_name="y_val"))
    if n_features != estimator.n_features_in_:
        raise ValueError(
            f"X_val must have as many columns as X; got {n_features} instead of "
            f"{estimator.n_features_in_}. Pass the same columns in both."
        )
    if n_targets != n_samples:
        raise ValueError(
            f"y_val must have as many rows as X_val; got {n_targets} instead of {n_samples}. "
            f"Let both describe the same samples."
        )
    X_val, y_val = checked(estimator, X_val, y_val, reset=False, name="X_val")
    T_val = y_val.reshape(n_samples, -1)
    if T_val.shape[1] != n_outputs:
        raise ValueError(
            f"y_val must have as many outputs as y; got {T_val.shape[1]} instead of "
            f"{n_outputs}. Pass the same columns in both."
        )
    return X_val, T_val
