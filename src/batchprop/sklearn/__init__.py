"""The scikit-learn estimator.  Here rows are samples; no other part imports scikit-learn."""

from __future__ import annotations

try:
    from sklearn.utils.validation import validate_data as _since_1_6  # noqa: F401
except ImportError as error:
    raise ImportError(
        "batchprop.sklearn needs scikit-learn 1.6 or newer, which is not installed here. Install "
        'it with: pip install "batchprop[sklearn]"'
    ) from error

from batchprop.sklearn.estimator import BatchMLPRegressor

__all__ = ["BatchMLPRegressor"]
