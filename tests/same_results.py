"""Whether two runs came to the same, to the last bit."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from batchprop import Network
from batchprop.training.result import TrainResult

_MAY_DIFFER = {"seconds", "checkpoint", "starts"}


def assert_same(result, expected, *, but=()):
    """Compare all that a result says, but for the time it took."""
    for name in {field.name for field in fields(TrainResult)} - _MAY_DIFFER - set(but):
        one, other = getattr(result, name), getattr(expected, name)
        if name == "alpha_report":
            assert repr(one) == repr(other)
            continue
        if isinstance(other, Network):
            assert (one.shape, one.activation) == (other.shape, other.activation)
            one, other = one.theta, other.theta
        assert np.asarray(one).dtype == np.asarray(other).dtype, name
        np.testing.assert_array_equal(one, other, err_msg=name)  # NaN equals NaN here
