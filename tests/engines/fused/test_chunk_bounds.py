"""Where chunks begin: every sample is in one chunk, chunks are about equally long."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import segments
from batchprop.engines.fused.blocking import choose_blocking
from batchprop.engines.fused.chunk_bounds import chunk_bounds, n_chunks_of
from batchprop.engines.fused.problem import describe_problem
from batchprop.parameters import Shape

SEGMENT = 1 << 13
SHAPE = Shape(3, 10, 1)


@pytest.mark.parametrize(
    "n_samples", [1, 100, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT - 5, 7 * SEGMENT + 999]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_chunks_cover_all_segments(n_samples, dtype, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", SEGMENT)
    blocking = choose_blocking(SHAPE, n_samples, np.dtype(dtype))
    problem = describe_problem(SHAPE, "tanh", n_samples, blocking)
    position = 0
    for segment in range(segments.n_segments(n_samples)):
        bounds = chunk_bounds(problem, segment)
        lengths = np.diff(bounds)
        assert bounds[0] == position == segment * SEGMENT
        assert len(lengths) == n_chunks_of(problem, segment) <= blocking.n_chunks
        assert lengths.min() > 0
        assert lengths.max() <= blocking.chunk_samples
        position = bounds[-1]
        if position < n_samples:
            assert lengths.size == blocking.n_chunks
            assert not lengths.max() - lengths.min() > blocking.width
        # the chunks of a shorter segment are about as long: no thread has next to nothing to do
        assert lengths.size == 1 or lengths.mean() > 0.5 * blocking.chunk_samples
    assert position == n_samples
