"""Where the data of a call of ``train`` are: in arrays, in blocks, or in files."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from batchprop.blocks.block_sequence import BlockSequence
from batchprop.blocks.blocks import Blocks
from batchprop.training.block_samples import BlockSamples
from batchprop.training.dataset import DatasetBuilder
from batchprop.training.external_dataset import ExternalDatasetBuilder
from batchprop.training.options import TrainOptions
from batchprop.training.setup import AnyDatasetBuilder
from batchprop.validation.error_text import described, message
from batchprop.vocabulary import COLUMNS


def builder_of(
    X: Any, T: Any, inputs: Any, targets: Any, options: TrainOptions
) -> tuple[AnyDatasetBuilder, TrainOptions]:
    """Return the builder of a call's data set, and the options without the data.

    Parameters
    ----------
    X, T : array_like; Blocks and None; or path-like and None
        As the user passed them.
    inputs, targets : sequence of str, or None
        Columns of files.
    options : TrainOptions
        Those of the call.

    Raises
    ------
    TypeError, ValueError
        The arguments do not go together, or there are no such files or columns.
    """
    blocks = _blocks(X, inputs, targets, options.sample_weight)
    if blocks is None:
        for name, value in (("inputs", inputs), ("targets", targets)):
            if value is not None:
                remedy = (
                    "Leave it out: X and T are the inputs and the targets. A table that has both "
                    "is Blocks([table], targets=...)."
                )
                expected = "be left out where X is an array"
                raise ValueError(message(name, expected, described(value), remedy))
        if T is None:
            remedy = "Pass both; only Blocks and files have targets of their own."
            raise TypeError(message("T", "come with an array X", "None", remedy))
        if _is_external(options.X_val):
            remedy = "Pass arrays, or train on Blocks: Blocks([(X, T)])."
            got = described(options.X_val)
            raise TypeError(message("X_val", "be an array where X is one", got, remedy))
        return DatasetBuilder(X, T, COLUMNS), options
    if T is not None:
        kind = "Blocks have" if isinstance(X, BlockSequence) else "files have"
        remedy = f"Leave it out: {kind} the targets, too."
        raise TypeError(message("T", "be None where X is not an array", described(T), remedy))
    validation = _validation_blocks(inputs, targets, options)
    builder = ExternalDatasetBuilder(
        BlockSamples(blocks), None if validation is None else BlockSamples(validation)
    )
    options = replace(options, X_val=None, T_val=None, sample_weight_val=None)
    if isinstance(X, BlockSequence):  # the builder refuses weights beside them
        return builder, options
    return builder, replace(options, sample_weight=None)


def _is_external(value: object) -> bool:
    return isinstance(value, BlockSequence | str | os.PathLike)


def _blocks(source: Any, inputs: Any, targets: Any, sample_weight: Any) -> BlockSequence | None:
    """Return blocks as they are, or those of files; None for arrays."""
    if isinstance(source, BlockSequence):
        for name, value in (("inputs", inputs), ("targets", targets)):
            if value is not None:
                remedy = f"Pass it to Blocks: Blocks.from_files(..., {name}=...)."
                expected = "be left out where X is Blocks"
                raise ValueError(message(name, expected, described(value), remedy))
        return source
    if not _is_external(source):
        return None
    if sample_weight is not None and not isinstance(sample_weight, str):
        remedy = "Pass the name of the column, or leave it out."
        expected = "name a column where X names files"
        got = described(sample_weight)
        raise TypeError(message("sample_weight", expected, got, remedy))
    return Blocks.from_files(source, inputs=inputs, targets=targets, sample_weight=sample_weight)


def _validation_blocks(inputs: Any, targets: Any, options: TrainOptions) -> BlockSequence | None:
    """Return the validation data as blocks: those of blocks or files, or one block of arrays."""
    X, T, weight = options.X_val, options.T_val, options.sample_weight_val
    if X is None:
        for name, value in (("T_val", T), ("sample_weight_val", weight)):
            if value is not None:
                remedy = "Pass X_val, too, or leave it out."
                raise ValueError(message(name, "come with X_val", f"{name} alone", remedy))
        return None
    if not _is_external(X):
        if T is None:
            remedy = "Pass both, or neither."
            raise ValueError(message("X_val", "come with T_val", "X_val alone", remedy))
        return Blocks([(X, T) if weight is None else (X, T, weight)])
    if T is not None:
        expected, remedy = "be None where X_val is not an array", "Leave it out: X_val has targets."
        raise TypeError(message("T_val", expected, described(T), remedy))
    if isinstance(X, BlockSequence):
        if weight is not None:
            remedy = "Let the blocks hold the weights."
            expected = "be left out where X_val is Blocks"
            raise ValueError(message("sample_weight_val", expected, described(weight), remedy))
        return X
    return _blocks(X, inputs, targets, options.sample_weight if weight is None else weight)
