"""What a run that was cut and resumed has to have in common with one that was not."""

from __future__ import annotations

import numpy as np

from batchprop.files import pytree

NUMBERS = ("n_epochs", "best_epoch", "stop_reason", "n_evaluations", "converged", "solver")
FLOATS = ("loss", "validation_loss", "selection_score", "gradient_norm")
NETWORKS = ("network", "last_network")


def assert_same_run(resumed, whole):
    """Assert that two results are the same to the last bit."""
    for name in NUMBERS:
        assert getattr(resumed, name) == getattr(whole, name), name
    for name in FLOATS:
        np.testing.assert_array_equal(getattr(resumed, name), getattr(whole, name), name)
    for name in NETWORKS:
        ours, theirs = getattr(resumed, name), getattr(whole, name)
        assert (ours.shape, ours.activation) == (theirs.shape, theirs.activation)
        assert ours.theta.dtype == theirs.theta.dtype
        np.testing.assert_array_equal(ours.theta, theirs.theta, name)
    np.testing.assert_array_equal(resumed.loss_curve, whole.loss_curve)
    np.testing.assert_array_equal(resumed.validation_loss_curve, whole.validation_loss_curve)


def assert_same_checkpoint(first, second):
    """Assert that two checkpoints hold the same."""
    for name in ("arguments", "shape", "samples", "stop_reason", "n_epochs"):
        assert getattr(first, name) == getattr(second, name), name
    for name in ("state", "scaling", "given", "loss_curve", "validation_loss_curve"):
        ours, theirs = getattr(first, name), getattr(second, name)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            ours, theirs = pytree.flatten(ours, name), pytree.flatten(theirs, name)
            assert list(ours) == list(theirs)
            for part, array in ours.items():
                assert array.dtype == theirs[part].dtype
                np.testing.assert_array_equal(array, theirs[part], part)
