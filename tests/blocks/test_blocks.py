"""Blocks over sequences: what a block may be, and what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from batchprop import Blocks, train, train_many
from batchprop.engines.samples import Samples
from batchprop.sklearn import BatchMLPRegressor
from tests.bad_input import Bad, assert_told


def arrays(*sizes, e=2, s=1, weights=False):
    rng = np.random.default_rng(0)
    blocks = [(rng.normal(size=(e, n)), rng.normal(size=(s, n))) for n in sizes]
    return (
        [(*block, rng.uniform(size=block[0].shape[1])) for block in blocks] if weights else blocks
    )


def test_blocks_come_in_order_and_are_the_arrays_of_the_sequence():
    sequence = arrays(3, 4, 2, weights=True)
    blocks = Blocks(sequence)
    assert (len(blocks), blocks.n_inputs, blocks.n_outputs, blocks.has_weights) == (3, 2, 1, True)
    assert blocks.n_samples is blocks.sizes is None
    assert blocks.input_names is blocks.target_names is None
    for samples, (X, T, w) in zip(blocks.read(), sequence, strict=True):
        assert samples.X is X  # not copied
        assert samples.T is T
        np.testing.assert_array_equal(samples.sample_weight, w)
    assert (blocks.n_samples, blocks.sizes) == (9, (3, 4, 2))
    assert repr(blocks) == "Blocks(9 samples in 3 blocks)"


def test_a_block_is_an_item():
    blocks = Blocks(arrays(3, 4))
    assert isinstance(blocks[1], Samples)
    assert blocks[-1].X.shape == (2, 4)
    with pytest.raises(IndexError, match="there are 2 blocks; got index 2"):
        blocks[2]
    assert len(list(blocks)) == 2


def test_blocks_without_samples_are_left_out_of_a_pass():
    blocks = Blocks(arrays(0, 3, 0, 2, 0))
    assert [samples.X.shape[1] for samples in blocks.read()] == [3, 2]
    assert blocks.n_samples == 5
    assert blocks[0].X.shape == (2, 0)
    with pytest.raises(ValueError, match="blocks must have at least one sample; got none"):
        list(Blocks(arrays(0, 0)).read())
    with pytest.raises(ValueError, match="blocks must have at least one sample; got none"):
        _ = Blocks(arrays(0, 0)).n_inputs


def test_numbers_of_other_types_are_converted_to_the_dtype_of_the_first_block():
    X, T = arrays(3)[0]
    blocks = Blocks([(X, T), (X.astype("f4"), [[1, 2, 3]]), (X.astype(">f8"), T.astype("f2"))])
    for samples in blocks.read():
        assert samples.X.dtype == samples.T.dtype == np.dtype("f8")
        assert samples.X.dtype.isnative


def test_blocks_can_be_pickled_and_passed_on():
    blocks = pickle.loads(pickle.dumps(Blocks(arrays(3, 4))))
    assert [samples.X.shape[1] for samples in blocks.read()] == [3, 4]
    again = Blocks(list(blocks.read()))  # Samples are blocks, too
    assert again.n_outputs == 1


def test_a_source_that_changes_is_noticed():
    sequence = arrays(3, 4)
    blocks = Blocks(sequence)
    list(blocks.read())
    sequence[1] = arrays(5)[0]
    with pytest.raises(ValueError, match="block 1 must have 4 samples, as when it was read before"):
        list(blocks.read())


def read(**arguments):
    list(Blocks(**arguments).read())


X, T = arrays(3)[0]
BAD = [
    Bad({"sequence": "data"}, TypeError, "be a sequence of blocks", "'data'", "from_files"),
    Bad({"sequence": iter([])}, TypeError, "be a sequence", "list_iterator", "__getitem__"),
    Bad({"sequence": []}, ValueError, "at least one block", "none", "Add blocks"),
    Bad({"sequence": X}, TypeError, "be a sequence", "one table of type ndarray", "a list"),
    Bad({"sequence": (X, T)}, TypeError, "be a tuple (X, T)", "ndarray", "sequence[i]"),
    Bad({"sequence": [(X,)]}, TypeError, "be a tuple", "tuple of 1 item", "(X, T)"),
    Bad({"sequence": [{"a": X}]}, TypeError, "be a tuple", "dict", 'targets=["y"]'),
    Bad({"sequence": [(X, T[:, :2])]}, ValueError, "have 3 columns", "(1, 2)", "cut"),
    Bad({"sequence": [(X.T, T.T)]}, ValueError, "have", "shape", "samples"),
    Bad({"sequence": [(X[0], T)]}, ValueError, "two axes", "shape (3,)", "np"),
    Bad({"sequence": [(X, T), (T, T)]}, ValueError, "have 2 rows", "(1, 3)", "same rows"),
    Bad({"sequence": [(X, T), (X, X)]}, ValueError, "have 1 row,", "(2, 3)", "same rows"),
    Bad({"sequence": [(X, [["a", "b", "c"]])]}, TypeError, "real numbers", "dtype <U1", "Encode"),
    Bad({"sequence": [(X, T, [1, 2])]}, ValueError, "shape (3,)", "shape (2,)", "one weight"),
    Bad({"sequence": [(X, T, [1, -2, 1])]}, ValueError, "non-negative", "-2.0 at [1]", "Use 0"),
    Bad({"sequence": [(X, T, [1, np.nan, 1])]}, ValueError, "finite", "nan at [1]", "Use 0"),
    Bad({"sequence": [(X, T), (X, T, [1, 1, 1])]}, ValueError, "in all blocks", "some", "Use 1"),
    Bad({"sequence": [(X, T, [1, 1, 1]), (X, T)]}, ValueError, "in all blocks", "none", "Use 1"),
    Bad(
        {"sequence": [(X.astype("f4"), T), (X, T)]},
        TypeError,
        "have dtype float32, like the first block",
        "float64",
        "Convert all blocks",
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.got)
def test_a_bad_block_is_one_clear_error(bad):
    assert_told(read, bad)


class Broken:
    """A sequence whose second block cannot be read."""

    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 3

    def __getitem__(self, index):
        if index == 1:
            raise self.error
        return np.ones((2, 5)), np.ones((1, 5))


def test_an_exception_says_which_block_it_comes_from():
    error = KeyError("no such run")
    with pytest.raises(KeyError, match="no such run") as info:
        train(Blocks(Broken(error)), hidden_size=2)
    assert info.value is error
    assert "block 1 of the sequence" in error.__notes__[0]


def test_the_end_of_an_iterator_in_a_block_is_an_error_of_that_block():
    with pytest.raises(RuntimeError, match="block 1 must be there; got StopIteration") as info:
        train(Blocks(Broken(StopIteration())), hidden_size=2)
    assert isinstance(info.value.__cause__, StopIteration)


def test_blocks_do_not_become_an_array():
    blocks = Blocks([(np.ones((2, 3)), np.ones((1, 3)))])
    with pytest.raises(TypeError, match="Blocks are not an array"):
        np.asarray(blocks)
    text = r"got Blocks, which NumPy cannot read: Blocks are not an array"
    with pytest.raises(TypeError, match=text):
        train_many(blocks, np.ones((1, 3)), [{}])
    with pytest.raises(TypeError, match="Blocks are not an array"):
        BatchMLPRegressor().fit(blocks, np.ones(3))
