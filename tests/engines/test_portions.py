"""Blocks regrouped into whole parts of segments: every sample once, in order, at fixed bounds."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import segments
from batchprop.engines import portions as module
from batchprop.engines.portions import SegmentRange, portions
from batchprop.engines.samples import Samples

SEGMENT, PART = 100, 16


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", SEGMENT)


def bounds_of(n_samples):
    def bounds(segment):
        stop = min((segment + 1) * SEGMENT, n_samples)
        return [*range(segment * SEGMENT, stop, PART), stop]

    return bounds


def blocks_of(first, stop, rng, largest):
    """Yield the samples, whose numbers are their indices, in blocks of random sizes."""
    position = first
    while position < stop:
        end = min(stop, position + int(rng.integers(0, largest + 1)))
        indices = np.arange(position, end, dtype=np.float64)
        yield Samples(np.stack((indices, -indices)), indices[np.newaxis], 0.5 * indices)
        position = end


@pytest.mark.parametrize("n_samples", [1, PART, SEGMENT, SEGMENT + 1, 3 * SEGMENT - 1, 5 * SEGMENT])
@pytest.mark.parametrize("largest", [1, 7, PART, 60, 1000])
def test_every_sample_comes_once_in_whole_parts(n_samples, largest, monkeypatch):
    rng = np.random.default_rng((n_samples, largest))
    bounds, count = bounds_of(n_samples), segments.n_segments(n_samples)
    for parts in (1, 3, 16):
        monkeypatch.setattr(module, "PARTS", parts)
        first = int(rng.integers(0, count))
        run = SegmentRange(n_samples, first, count)
        position = run.first_sample
        for portion in portions(blocks_of(position, n_samples, rng, largest), bounds, run):
            X, T, weight, scaling = portion.samples
            begin, end = (
                bounds(portion.segment)[portion.first],
                bounds(portion.segment)[portion.stop],
            )
            assert portion.first_sample == begin == position < end
            np.testing.assert_array_equal(X[0], np.arange(begin, end))
            np.testing.assert_array_equal(-X[1], T[0])
            np.testing.assert_array_equal(2.0 * weight, T[0])
            assert scaling is None
            assert portion.ends_segment == (end == bounds(portion.segment)[-1])
            position = end
        assert position == n_samples


def test_long_blocks_are_not_copied():
    block = Samples(np.zeros((2, 5 * SEGMENT)), np.zeros((1, 5 * SEGMENT)))
    run = SegmentRange.whole(5 * SEGMENT)
    for portion in portions([block], bounds_of(5 * SEGMENT), run):
        assert np.shares_memory(portion.samples.X, block.X)


def test_short_blocks_are_joined(monkeypatch):
    """So that several threads have work."""
    monkeypatch.setattr(module, "PARTS", 4)
    n_samples = 4 * SEGMENT
    blocks = [Samples(np.zeros((1, 2)), np.zeros((1, 2))) for _ in range(0, n_samples, 2)]
    run, bounds = SegmentRange.whole(n_samples), bounds_of(n_samples)
    counts = [portion.stop - portion.first for portion in portions(blocks, bounds, run)]
    assert max(counts) == 4
    assert len(counts) <= 12
    monkeypatch.setattr(module, "BYTES", 1)  # whatever it takes, a part is joined
    counts = [portion.stop - portion.first for portion in portions(blocks, bounds, run)]
    assert set(counts) == {1}


def test_blocks_of_whole_segments_are_not_joined():
    """A portion ends with its segment: waiting for the next one would only take memory."""
    blocks = [Samples(np.zeros((2, SEGMENT)), np.zeros((1, SEGMENT))) for _ in range(6)]
    run = SegmentRange.whole(6 * SEGMENT)

    def bounds(segment):
        return [segment * SEGMENT, (segment + 1) * SEGMENT]

    for block, portion in zip(blocks, portions(iter(blocks), bounds, run), strict=True):
        assert np.shares_memory(portion.samples.X, block.X)


@pytest.mark.parametrize(("count", "text"), [(150, "got 150 of"), (400, "got at least 201 of")])
def test_another_number_of_samples_is_refused(count, text):
    blocks = [Samples(np.zeros((1, 67)), np.zeros((1, 67))) for _ in range(count // 67)]
    blocks.append(Samples(np.zeros((1, count % 67)), np.zeros((1, count % 67))))
    with pytest.raises(ValueError, match=rf"{text} them where there were 200"):
        list(portions(blocks, bounds_of(200), SegmentRange.whole(200)))
