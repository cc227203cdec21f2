"""Blocks beside the arrays that they should hold."""

from __future__ import annotations

import pickle

import numpy as np


def assert_holds(blocks, X, T, sample_weight=None):
    """Compare all blocks, read twice and after a round trip through pickle, with whole arrays."""
    for each in (blocks, blocks, pickle.loads(pickle.dumps(blocks))):
        samples = list(each.read())
        read_X = np.concatenate([block.X for block in samples], axis=1)
        read_T = np.concatenate([block.T for block in samples], axis=1)
        np.testing.assert_array_equal(read_X, X)
        np.testing.assert_array_equal(read_T, T)
        assert each.n_samples == X.shape[1]
        assert each.sizes == tuple(block.X.shape[1] for block in each)
        assert (each.n_inputs, each.n_outputs) == (X.shape[0], T.shape[0])
        assert each.has_weights == (sample_weight is not None)
        if sample_weight is not None:
            weights = np.concatenate([block.sample_weight for block in samples])
            np.testing.assert_array_equal(weights, sample_weight)
        for block in samples:
            assert block.X.dtype == samples[0].X.dtype
            assert block.X.dtype in (np.float32, np.float64)


def is_copied(array):
    """Return whether an array has memory of its own."""
    return array.base is None
