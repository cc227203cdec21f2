"""``Blocks``: data for training as a sequence of blocks of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from batchprop.blocks.array_blocks import ArrayBlocks, Columns, Files, Path
from batchprop.blocks.arrow_source import ArrowSource
from batchprop.blocks.file_formats import format_of_files
from batchprop.blocks.parquet_source import ParquetSource
from batchprop.blocks.sequence_source import SequenceSource

Names = str | Sequence[str] | None


class Blocks(ArrayBlocks):
    """Data as a sequence of blocks of samples, for sources that do not fit into memory.

    One block is in memory at a time, and the next one is read while it is used.  The constructor
    takes any sequence; ``from_files`` and the other class methods read files.  Results do not
    depend on how samples are cut into blocks, to the last bit.

    Parameters
    ----------
    sequence : sequence
        Anything with ``len`` and ``[i]``: a list, or an object that reads block i when it is asked
        for.  Each block is a tuple (X, T) or (X, T, sample_weight) of arrays with shapes (e, n),
        (s, n) and (n,): samples are columns.  If ``targets`` is given, each block is a table: of
        pandas, polars or Arrow, a dict of arrays, or a structured array.  Blocks may have different
        numbers of samples n, and no samples.
    inputs : sequence of str, or str, optional
        Columns of the tables that are inputs, in this order.  None means all that have no
        other role.
    targets : sequence of str, or str, optional
        Columns that are targets.
    sample_weight : str, optional
        Column of the sample weights.
    cache : str or path-like, optional
        A folder on a local disk.  The data are written there once, as plain numbers, and mapped
        into memory from then on; see ``from_files``.  The file is deleted with the object.

    Attributes
    ----------
    n_inputs, n_outputs : int
        e and s.
    n_samples : int or None
        N; None until it is known.
    sizes : tuple of int, or None
        Number of samples in each block; None until it is known.
    has_weights : bool
        Whether samples have weights.
    input_names, target_names : tuple of str, or None
        Names of columns.

    Raises
    ------
    TypeError, ValueError
        The sequence is none, or has no such columns.

    Examples
    --------
    A sequence that reads block i from wherever it is:

    >>> import numpy as np
    >>> from batchprop import Blocks
    >>> class Measurements:
    ...     def __len__(self):
    ...         return 3
    ...
    ...     def __getitem__(self, i):
    ...         X = np.random.default_rng(i).uniform(-1, 1, (2, 1000))
    ...         return X, np.sin(X[:1])
    >>> blocks = Blocks(Measurements())
    >>> len(blocks), blocks.n_inputs, blocks.n_outputs
    (3, 2, 1)

    Tables, here dicts of arrays:

    >>> tables = [{"a": [1.0, 2.0], "b": [3.0, 4.0], "y": [5.0, 6.0]}]
    >>> blocks = Blocks(tables, targets="y")
    >>> blocks.input_names
    ('a', 'b')
    >>> blocks[0].X
    array([[1., 2.],
           [3., 4.]])
    """

    def __init__(
        self,
        sequence: Any,
        *,
        inputs: Names = None,
        targets: Names = None,
        sample_weight: str | None = None,
        cache: Path | None = None,
    ) -> None:
        super().__init__(SequenceSource(sequence, inputs, targets, sample_weight), cache)

    @classmethod
    def from_files(
        cls,
        files: Files,
        *,
        inputs: Columns = None,
        targets: Columns = None,
        sample_weight: str | int | None = None,
        cache: Path | None = None,
    ) -> Self:
        """Return the blocks of files, whose extensions say what they are.

        ``.npy``, ``.parquet`` (``.parq``, ``.pq``), ``.arrow`` (``.feather``, ``.ipc``), ``.h5``
        (``.hdf5``, ``.hdf``) and ``.zarr``.  The class methods of the formats have more options.

        Parameters
        ----------
        files : str, path-like, or sequence of them
            The name of a file; of a folder, of which all files with these extensions are read, in
            subfolders as well; a pattern such as ``data/*.parquet``; or a list of them.  Files of a
            folder or pattern are read in natural order: part-2 comes before part-10.
        inputs, targets : sequence of str or int, or one of them, optional
            Columns.  ``inputs`` None means all that have no other role.
        sample_weight : str or int, optional
            Column of the sample weights.
        cache : str or path-like, optional
            A folder on a local disk, which is created if it is not there.  The first block that is
            asked for makes a copy of all chosen columns there, as plain numbers in one file, and
            from then on they are mapped into memory: in later runs, too.  The copy is made again if
            a file has another size or another time of change.  A copy that was interrupted is
            never used.  It takes 8 bytes (float32: 4) for each number.

        Returns
        -------
        Blocks
            The blocks in the order of the files.

        Raises
        ------
        ImportError
            The package for the format is not installed.
        TypeError, ValueError
            No file matches, the files have several formats, or there is no such column.

        Examples
        --------
        >>> import pandas as pd
        >>> from batchprop import Blocks
        >>> for part in range(3):
        ...     table = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "y": [5.0, 6.0]})
        ...     table.to_parquet(f"part-{part}.parquet")
        >>> Blocks.from_files("part-*.parquet", targets="y", cache="cache")
        Blocks(6 samples in 3 blocks)
        """
        name, paths = format_of_files(files)
        opened: Self = getattr(cls, f"from_{name}")(
            paths, inputs=inputs, targets=targets, sample_weight=sample_weight, cache=cache
        )
        return opened

    @classmethod
    def from_parquet(
        cls,
        files: Files,
        *,
        inputs: Names = None,
        targets: Names = None,
        sample_weight: str | None = None,
        cache: Path | None = None,
    ) -> Self:
        """Return the blocks of Parquet files.  Needs pyarrow.

        Only the chosen columns are read.  Numbers, booleans, decimals, and dictionaries of them
        become float64; they stay float32 if they are float32 in all files.  Columns may have
        another order or type in each file.

        Parameters
        ----------
        files : str, path-like, or sequence of them
            Files, folders or patterns, as for ``from_files``.
        inputs : sequence of str, or str, optional
            Columns that are inputs, in this order.  None means all that have no other role, without
            the index of pandas.
        targets : sequence of str, or str
            Columns that are targets.
        sample_weight : str, optional
            Column of the sample weights.
        cache : str or path-like, optional
            A folder, as for ``from_files``.  Decoding takes longer than training: with a cache it
            is done once.

        Returns
        -------
        Blocks
            Row groups, two or three of which must fit into memory; small neighbours in one file are
            joined.

        Raises
        ------
        ImportError
            pyarrow is not installed.
        TypeError, ValueError
            There is no such file or column, a file lacks a column, or a column has text or dates;
            when a block is read, there are nulls.

        Examples
        --------
        >>> import pandas as pd
        >>> from batchprop import Blocks
        >>> table = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4], "y": [5.0, 6.0]})
        >>> table.to_parquet("table.parquet")
        >>> blocks = Blocks.from_parquet("table.parquet", targets="y")
        >>> blocks, blocks.input_names
        (Blocks(2 samples in 1 block), ('a', 'b'))
        """
        return cls._of(ParquetSource(files, inputs, targets, sample_weight), cache)

    @classmethod
    def from_arrow(
        cls,
        files: Files,
        *,
        inputs: Names = None,
        targets: Names = None,
        sample_weight: str | None = None,
        cache: Path | None = None,
    ) -> Self:
        """Return the blocks of Arrow IPC files (Feather), mapped into memory.  Needs pyarrow.

        Parameters
        ----------
        files : str, path-like, or sequence of them
            Files, folders or patterns, as for ``from_files``.
        inputs, targets : sequence of str, or str
            Columns, as for ``from_parquet``.
        sample_weight : str, optional
            Column of the sample weights.
        cache : str or path-like, optional
            A folder, as for ``from_files``; useful if the files are compressed.

        Returns
        -------
        Blocks
            Record batches, and parts of those that have more than 262 144 rows.  Columns that are
            neighbours in the file, have one type and are not compressed are not copied.

        Raises
        ------
        ImportError
            pyarrow is not installed.
        TypeError, ValueError
            As ``from_parquet``.

        Examples
        --------
        >>> import pandas as pd
        >>> from batchprop import Blocks
        >>> table = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "y": [5.0, 6.0]})
        >>> table.to_feather("table.feather", compression="uncompressed")
        >>> blocks = Blocks.from_arrow("table.feather", targets="y")
        >>> blocks[0].X
        array([[1., 2.],
               [3., 4.]])
        """
        return cls._of(ArrowSource(files, inputs, targets, sample_weight), cache)
