"""The file of a ``Predictive``: one .npz file of plain arrays with a format number.

Its arrays may also be further members of a network's file of format 2 (``files/network_file.py``).
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.files import atomic_file, network_file, npz_reader
from batchprop.network import Network
from batchprop.parameters import Blocks, Shape, split
from batchprop.predictive.calibration import Calibration
from batchprop.predictive.posterior import Posterior
from batchprop.scaling import Scaling

Array = npt.NDArray[Any]

FORMAT = 1  # increased when a reader of the old format could not read the new one
KIND = "batchprop predictive"
SOURCES = ("folds", "validation", "none")

_MAX_CHARACTERS = 100  # of a text member
_LABELS = ("kind", "format", "activation", "source")
_NUMBERS = ("thetas", "factors", "noise_variance", "n_effective")
_CALIBRATION = ("intercept", "slope", "residuals", "claimed", "weight")
_NAMES = (*_LABELS, *Blocks._fields, *Scaling._fields, *_NUMBERS, *_CALIBRATION)
_NOT_NEGATIVE = (
    *("x_factor", "t_factor", "t_scale", "noise_variance"),
    *("intercept", "slope", "claimed", "weight"),
)


class Content(NamedTuple):
    """The parts of a ``Predictive``."""

    network: Network
    posterior: Posterior
    calibration: Calibration
    noise_variance: Array
    n_effective: float


def write(path: str | os.PathLike[str], content: Content) -> None:
    """Write the parts to a file, atomically.

    Parameters
    ----------
    path : str or path-like
        The file's name, used as it is; an existing file is replaced.
    content : Content
        The parts.
    """
    network = content.network
    labels = {"kind": KIND, "format": FORMAT, "activation": network.activation}
    arrays = {name: np.array(value) for name, value in labels.items()}
    arrays |= split(network.theta, network.shape)._asdict()
    atomic_file.write_arrays(path, arrays | members(content))


def members(content: Content) -> dict[str, Array]:
    """Return the members of the file that are not those of its network."""
    _, posterior, calibration, noise_variance, n_effective = content
    numbers = posterior.thetas, posterior.factors, noise_variance, np.float64(n_effective)
    arrays = {"source": np.array(calibration.source)}
    arrays |= posterior.scaling._asdict()
    arrays |= {name: np.asarray(value) for name, value in zip(_NUMBERS, numbers, strict=True)}
    arrays |= {name: getattr(calibration, name) for name in _CALIBRATION}
    # the reader accepts C order only
    return {name: np.asarray(array, order="C") for name, array in arrays.items()}


def read(path: str | os.PathLike[str]) -> Content:
    """Return the parts of a saved ``Predictive``.

    Parameters
    ----------
    path : str or path-like
        A file written by ``write``, or a network's file with the arrays of a ``Predictive``.

    Raises
    ------
    TypeError
        ``path`` is not a file name.
    OSError
        The file cannot be opened.
    ValueError
        The file is not a saved ``Predictive``, is damaged, or has a format that this version does
        not know.
    """
    remedy = "Save it again, or look for another file."
    with npz_reader.opened(path, "name a file made by Predictive.save", remedy) as archive:
        if archive.is_of(network_file.KIND, network_file.EXTENDED):
            return _content(archive)
        version = archive.format_of(KIND)
        if version == FORMAT:
            archive.only(_NAMES)
            return _content(archive)
    raise ValueError(
        f"path must name a file of format {FORMAT}; got {os.fspath(path)!r} of format {version}. "
        f"Load it with the version of batchprop that wrote it, or a newer one."
    )


def _content(archive: npz_reader.Archive) -> Content:
    source = archive.text("source", _MAX_CHARACTERS)
    if source not in SOURCES:
        raise npz_reader.Damaged(f"source: not one of {', '.join(SOURCES)}")
    blocks, activation = network_file.parameters(archive)
    network = Network(*blocks, activation=activation)
    e, _, s = network.shape
    forms = _forms(archive, network.shape)
    arrays = {name: archive.array(name, shape, np.float64) for name, shape in forms.items()}
    for name, array in arrays.items():
        if name != "n_effective" and not np.isfinite(array).all():
            raise npz_reader.Damaged(f"{name}: not finite")
        if name in _NOT_NEGATIVE and np.any(array < 0):
            raise npz_reader.Damaged(f"{name}: negative")
    n_networks, P = arrays["thetas"].shape
    shape = Shape(e, (P - s) // (e + 1 + s), s)
    scaling = Scaling(*(arrays[name] for name in Scaling._fields))
    posterior = Posterior(activation, shape, scaling, arrays["thetas"], arrays["factors"])
    calibration = Calibration(**{name: arrays[name] for name in _CALIBRATION}, source=source)
    return Content(
        network, posterior, calibration, arrays["noise_variance"], float(arrays["n_effective"])
    )


def _forms(archive: npz_reader.Archive, sizes: Shape) -> dict[str, tuple[int, ...]]:
    """Return the shape that each array must have, by the sizes of the network."""
    e, m, s = sizes
    of_thetas, of_factors = (archive.form(name)[0] for name in ("thetas", "factors"))
    if len(of_thetas) != 2 or not of_thetas[0] or (of_thetas[1] - s) % (e + 1 + s):
        raise npz_reader.Damaged(f"thetas: shape {of_thetas}")
    n_networks, P = of_thetas
    member_size = (P - s) // (e + 1 + s)
    if not 1 <= member_size <= m or n_networks * member_size != m:
        raise npz_reader.Damaged(f"thetas: shape {of_thetas}, for {m} hidden units")
    n = of_factors[-1] if of_factors else -1
    if n not in (0, member_size + 1, P):
        raise npz_reader.Damaged(f"factors: shape {of_factors}")
    residuals = archive.form("residuals")[0]
    count = residuals[-1] if residuals else 0
    return {
        "x_mean": (e,),
        "x_factor": (e,),
        "t_mean": (s,),
        "t_factor": (s,),
        "t_scale": (s,),
        "thetas": (n_networks, P),
        "factors": (n_networks, n, n),
        "noise_variance": (s,),
        "n_effective": (),
        "intercept": (s,),
        "slope": (s,),
        "residuals": (s, count),
        "claimed": (s, count),
        "weight": (count,),
    }
