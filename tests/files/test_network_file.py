"""Networks in files: what is saved comes back bit for bit, and nothing else is taken for one."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from batchprop import Network
from batchprop.activations import ACTIVATIONS
from batchprop.files import network_file
from batchprop.files.network_file import FORMATS, KIND, PLAIN
from batchprop.parameters import split
from tests.problems import problem

NETWORK = problem(e=4, m=6, s=2).network


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.npz"


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_saved_comes_back(path, activation, dtype):
    network = problem(e=2, m=5, s=3, activation=activation, dtype=dtype).network
    network.save(path)
    loaded = Network.load(path)
    assert type(loaded) is Network
    assert (loaded.shape, loaded.activation, loaded.dtype) == (network.shape, activation, dtype)
    np.testing.assert_array_equal(loaded.theta, network.theta)
    X = np.random.default_rng(0).normal(size=(2, 9))
    np.testing.assert_array_equal(loaded.predict(X), network.predict(X))


def test_the_name_is_taken_as_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("plain", Path("in.model"), "with.npz"):
        NETWORK.save(name)
        np.testing.assert_array_equal(Network.load(name).theta, NETWORK.theta)
    assert sorted(os.listdir()) == ["in.model", "plain", "with.npz"]


def test_numpy_reads_the_file_without_pickle(path):
    NETWORK.save(path)
    with np.load(path, allow_pickle=False) as archive:
        assert str(archive["kind"]) == KIND
        assert int(archive["format"]) == PLAIN == 1
        assert str(archive["activation"]) == "tanh"
        for name in ("W_h", "b_h", "W_y", "b_y"):
            np.testing.assert_array_equal(archive[name], getattr(NETWORK, name))


def test_a_file_is_replaced_whole_or_not_at_all(path, monkeypatch):
    NETWORK.save(path)
    other = problem(seed=1).network

    def failing(*arguments, **options):
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(np, "savez", failing)
        with pytest.raises(OSError, match="no space"):
            other.save(path)
    np.testing.assert_array_equal(Network.load(path).theta, NETWORK.theta)
    other.save(path)
    np.testing.assert_array_equal(Network.load(path).theta, other.theta)
    assert os.listdir(path.parent) == [path.name]


def written(path, **changed):
    """Write what a network's file holds, with some of it changed or, as None, left out."""
    NETWORK.save(path)
    with np.load(path) as archive:
        content = dict(archive) | changed
    np.savez(path, **{name: value for name, value in content.items() if value is not None})


NOT_OURS = (
    r"path must name a file made by Network\.save; got .*network\.npz.*Save the network again"
)


@pytest.mark.parametrize("missing", ["kind", "format", "activation", "W_h", "b_y"])
def test_a_part_that_is_missing(path, missing):
    written(path, **{missing: None})
    with pytest.raises(ValueError, match=NOT_OURS):
        Network.load(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"no network", b"PK\x03\x04", pickle.dumps(NETWORK), bytes(1000)],
    ids=["empty", "text", "a beginning", "a pickle", "zeros"],
)
def test_another_file(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=NOT_OURS):
        Network.load(path)


def test_other_files_of_numpy(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match=NOT_OURS):
        Network.load(path)
    np.savez(path, weights=np.zeros(3))
    with pytest.raises(ValueError, match=NOT_OURS):
        Network.load(path)
    written(path, kind=np.array("another network"))
    with pytest.raises(ValueError, match=NOT_OURS):
        Network.load(path)


class Trap:
    """Run when unpickled."""

    def __reduce__(self):
        return pytest.fail, ("code in a file was run",)


@pytest.mark.parametrize("name", ["kind", "activation", "W_h"])
def test_nothing_in_a_file_is_run(path, name):
    written(path, **{name: np.array([Trap()], object)})
    with pytest.raises(ValueError, match=NOT_OURS):
        Network.load(path)


def test_a_newer_format(path):
    written(path, format=np.array(max(FORMATS) + 1))
    with pytest.raises(ValueError, match=r"format 1 or 2; got .* of format 3\. Load it with"):
        Network.load(path)


def test_further_members_are_skipped_where_the_format_allows_them(path):
    members = {"more": np.arange(3)}
    blocks = split(NETWORK.theta, NETWORK.shape)
    network_file.write(path, blocks, "tanh", members)
    np.testing.assert_array_equal(Network.load(path).theta, NETWORK.theta)
    with np.load(path) as archive:
        assert int(archive["format"]) == 2
        assert archive["more"].tolist() == [0, 1, 2]
    written(path, more=np.arange(3))
    with pytest.raises(ValueError, match="unexpected member"):
        Network.load(path)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"W_y": np.ones((2, 5))}, r"W_y must have shape \(2, 6\)"),
        ({"b_h": np.full(6, np.nan)}, "b_h must be finite"),
        ({"activation": np.array("sigmoid")}, "activation must be one of"),
    ],
)
def test_content_that_is_no_network(path, changed, told):
    written(path, **changed)
    with pytest.raises(ValueError, match=told):
        Network.load(path)


def test_damage_is_seen_or_does_no_harm(path):
    NETWORK.save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [whole[:length] for length in range(0, len(whole), 37)]
    for _ in range(300):
        copy = bytearray(whole)
        copy[rng.integers(len(copy))] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(copy))
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            loaded = Network.load(path)
        except ValueError:
            refused += 1
        else:
            np.testing.assert_array_equal(loaded.theta, NETWORK.theta)
    assert refused > len(damaged) / 2


def test_places_that_are_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        Network.load(tmp_path / "nothing")
    with pytest.raises(OSError, match="directory|denied"):
        Network.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        NETWORK.save(tmp_path / "nowhere" / "network.npz")
    for name in (0, None, ["network.npz"]):
        with pytest.raises(TypeError):
            Network.load(name)
        with pytest.raises(TypeError):
            NETWORK.save(name)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_network_can_be_pickled(protocol):
    twin = pickle.loads(pickle.dumps(NETWORK, protocol))
    assert (twin.shape, twin.activation, twin.dtype) == (
        NETWORK.shape, NETWORK.activation, NETWORK.dtype,
    )  # fmt: skip
    np.testing.assert_array_equal(twin.theta, NETWORK.theta)
    twin.theta[0] = 5.0
    assert twin.W_h[0, 0] == 5.0 != NETWORK.W_h[0, 0]


def test_texts_of_the_other_byte_order(path):
    """As a machine of that order writes them."""
    NETWORK.save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    for name in ("kind", "activation"):
        arrays[name] = arrays[name].astype(arrays[name].dtype.newbyteorder(">"))
    np.savez(path, **arrays)
    np.testing.assert_array_equal(Network.load(path).theta, NETWORK.theta)


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="there are no devices here")
def test_a_device_is_called_one():
    with pytest.raises(ValueError, match="'/dev/null', a device"):
        Network.load("/dev/null")
