"""Saved checkpoints: one .npz of plain arrays and a header in JSON.  Reading executes nothing."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from batchprop import validation
from batchprop.files import atomic_file, npz_reader, pytree
from batchprop.solvers.state_checks import check_state
from batchprop.training.checkpoint import checkpoint_content
from batchprop.training.checkpoint.checkpoint_content import Content
from batchprop.training.checkpoint.fingerprint import Fingerprint
from batchprop.version import __version__

FORMATS = (1, 2)
"""Formats that are read; the last one is written.

A new one is added when a reader of the old ones could not read it.  In format 1, fingerprints of
data have no version.
"""
KIND = "batchprop checkpoint"

_MAX_HEADER = 1 << 18  # characters; a header takes about a thousand


def write(path: str | os.PathLike[str], content: Content) -> None:
    """Write a checkpoint to a file, atomically."""
    header = {
        "batchprop": __version__,
        "arguments": content.arguments,
        "shape": content.shape,
        "samples": content.samples,
        "stop_reason": content.stop_reason,
    }
    labels = {"kind": KIND, "format": FORMATS[-1], "header": json.dumps(header)}
    arrays = {name: np.array(value) for name, value in labels.items()}
    atomic_file.write_arrays(path, arrays | arrays_of(content))


def arrays_of(content: Content) -> dict[str, Any]:
    """Return name in the file -> array."""
    arrays = pytree.flatten(content.state, "state")
    if content.scaling is not None:
        arrays |= pytree.flatten(content.scaling, "scaling")
    if content.given is not None:
        arrays["given"] = content.given
    curves = {name: getattr(content, name) for name in ("loss_curve", "validation_loss_curve")}
    return arrays | curves


def read(path: str | os.PathLike[str]) -> Content:
    """Return the parts of a saved checkpoint.

    Raises
    ------
    TypeError
        ``path`` is not a file name.
    OSError
        The file cannot be opened.
    ValueError
        The file is no checkpoint, is damaged, or has a format that this version does not know.
    """
    remedy = "Begin the run again, or look for another file."
    with npz_reader.opened(path, "name a checkpoint", remedy) as archive:
        number = archive.format_of(KIND)
        if number in FORMATS:
            try:
                return _content(archive)
            except npz_reader.Damaged:
                raise
            except KeyError as error:
                raise npz_reader.Damaged(f"header: {error} is missing") from None
            except Exception as error:  # a header can hold anything
                raise npz_reader.Damaged(str(error) or type(error).__name__) from None
    raise ValueError(
        f"path must name a checkpoint of format {FORMATS[-1]} or older; got {os.fspath(path)!r} "
        f"of format {number}. Load it with the version of batchprop that wrote it, or a newer one."
    )


def _content(archive: npz_reader.Archive) -> Content:
    """Read and check all parts; sizes of arrays before memory is allocated for them."""
    header = _header(archive.text("header", _MAX_HEADER))
    arguments, shape = header["arguments"], validation.shape(header["shape"])
    samples = {
        name: Fingerprint(tuple(size), *rest) for name, (size, *rest) in header["samples"].items()
    }
    reason = header["stop_reason"]
    forms = checkpoint_content.check_header(arguments, shape, samples, reason)
    state = pytree.restored(forms.state, "state", archive.array)
    check_state(state)
    sizes = checkpoint_content.curve_sizes(state, samples)
    scaling, given = forms.scaling, forms.given if "given" in archive else None
    content = Content(
        arguments=arguments,
        shape=shape,
        samples=samples,
        scaling=None if scaling is None else pytree.restored(scaling, "scaling", archive.array),
        given=None if given is None else archive.array("given", given.shape, given.dtype),
        state=state,
        loss_curve=archive.array("loss_curve", sizes[:1], float),
        validation_loss_curve=archive.array("validation_loss_curve", sizes[1:], float),
        stop_reason=reason,
    )
    archive.only(("kind", "format", "header", *arrays_of(content)))
    checkpoint_content.check_values(content)
    return content


def _header(text: str) -> dict[str, Any]:
    """Parse the header; refuse NaN, which JSON does not have, and names that are there twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise npz_reader.Damaged("header: a name is there twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise npz_reader.Damaged(f"header: {constant} is no number of JSON")

    try:
        header = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise npz_reader.Damaged(f"header: {error}") from None
    if not isinstance(header, dict):
        raise npz_reader.Damaged("header: not an object of JSON")
    return header
