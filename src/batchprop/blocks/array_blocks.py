"""Blocks of files that hold arrays: .npy, HDF5, Zarr."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, Self

from batchprop.blocks.block_sequence import BlockSequence
from batchprop.blocks.hdf5_source import Hdf5Source
from batchprop.blocks.npy_source import NpySource
from batchprop.blocks.zarr_source import ZarrSource

Path = str | os.PathLike[str]
Files = Path | Sequence[Path]
Columns = str | int | Sequence[str] | Sequence[int] | None
SamplesAre = Literal["rows", "columns"] | None


class ArrayBlocks(BlockSequence):
    """Base class of ``Blocks``: the formats whose columns have indices."""

    @classmethod
    def from_npy(
        cls,
        files: Files,
        *,
        target_files: Files | None = None,
        weight_files: Files | None = None,
        inputs: Columns = None,
        targets: Columns = None,
        sample_weight: str | int | None = None,
        samples: SamplesAre = None,
        cache: Path | None = None,
    ) -> Self:
        """Return the blocks of .npy files, which are mapped into memory part by part.

        Parameters
        ----------
        files : str, path-like, or sequence of them
            Files, folders or patterns, as for ``from_files``.
        target_files, weight_files : str, path-like, or sequence of them, optional
            Files with the targets and the weights of the same samples.  Then all columns of
            ``files`` are inputs.
        inputs, targets : sequence of int or str, optional
            Indices of columns, or names of the fields of structured arrays.  ``inputs`` None means
            all that have no other role.
        sample_weight : int or str, optional
            Column of the sample weights.
        samples : {"rows", "columns"}, optional
            What the samples are in the files.  None means rows, and is refused if an array has more
            columns than there are rows.
        cache : str or path-like, optional
            A folder, as for ``from_files``; useful for files on a slow disk.

        Returns
        -------
        Blocks
            Views of the files, of at most 131 072 samples and about 64 MB each.

        Raises
        ------
        TypeError, ValueError
            There is no such file or column, or files do not fit one another.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Blocks
        >>> np.save("table.npy", np.arange(12.0).reshape(4, 3))  # 4 samples
        >>> blocks = Blocks.from_npy("table.npy", targets=[2])
        >>> blocks[0].X
        array([[ 0.,  3.,  6.,  9.],
               [ 1.,  4.,  7., 10.]])
        """
        source = NpySource(
            files, target_files, weight_files, inputs, targets, sample_weight, samples
        )
        return cls._of(source, cache)

    @classmethod
    def from_hdf5(
        cls,
        files: Files,
        *,
        dataset: str | None = None,
        inputs: Columns = None,
        targets: Columns = None,
        sample_weight: str | int | None = None,
        samples: SamplesAre = None,
        cache: Path | None = None,
    ) -> Self:
        """Return the blocks of HDF5 files.  Needs h5py.

        Either ``dataset`` names one array, whose columns are chosen by index; or columns are chosen
        by the names of arrays, and an array of two axes is several columns.

        Parameters
        ----------
        files : str, path-like, or sequence of them
            Files, folders or patterns, as for ``from_files``.
        dataset : str, optional
            Path of the array in each file, for example "measurements/table".  It may be left out if
            a file has one array only.
        inputs, targets : sequence of int or str, or one of them, optional
            Indices of columns of ``dataset``, or names of arrays.  ``inputs`` None means all that
            have no other role.
        sample_weight : int or str, optional
            Column of the sample weights.
        samples : {"rows", "columns"}, optional
            What the samples are in arrays of two axes.  None means rows, and is refused if an array
            has more columns than there are rows.
        cache : str or path-like, optional
            A folder, as for ``from_files``; useful if the arrays are compressed.

        Returns
        -------
        Blocks
            Parts of about 131 072 samples and at most about 64 MB, cut between chunks.  Arrays that
            are neither chunked nor compressed are mapped into memory.

        Raises
        ------
        ImportError
            h5py is not installed.
        TypeError, ValueError
            There is no such file, array or column, or arrays do not fit one another.

        Examples
        --------
        >>> import h5py
        >>> import numpy as np
        >>> from batchprop import Blocks
        >>> with h5py.File("table.h5", "w") as file:
        ...     file["X"] = np.zeros((4, 3))  # 4 samples
        ...     file["y"] = np.zeros(4)
        >>> blocks = Blocks.from_hdf5("table.h5", inputs=["X"], targets=["y"])
        >>> blocks.input_names
        ('X[0]', 'X[1]', 'X[2]')
        """
        source = Hdf5Source(files, dataset, inputs, targets, sample_weight, samples)
        return cls._of(source, cache)

    @classmethod
    def from_zarr(
        cls,
        files: Files,
        *,
        dataset: str | None = None,
        inputs: Columns = None,
        targets: Columns = None,
        sample_weight: str | int | None = None,
        samples: SamplesAre = None,
        cache: Path | None = None,
    ) -> Self:
        """Return the blocks of Zarr arrays or groups.  Needs zarr.

        Either ``dataset`` names one array, whose columns are chosen by index; or columns are chosen
        by the names of arrays, and an array of two axes is several columns.

        Parameters
        ----------
        files : str, path-like, or sequence of them
            Arrays, groups, folders that have some, or patterns, as for ``from_files``.
        dataset : str, optional
            Path of the array in each file, for example "measurements/table".  It may be left out if
            there is one array only.
        inputs, targets : sequence of int or str, or one of them, optional
            Indices of columns of ``dataset``, or names of arrays.  ``inputs`` None means all that
            have no other role.
        sample_weight : int or str, optional
            Column of the sample weights.
        samples : {"rows", "columns"}, optional
            What the samples are in arrays of two axes.  None means rows, and is refused if an array
            has more columns than there are rows.
        cache : str or path-like, optional
            A folder, as for ``from_files``; useful if the arrays are compressed.

        Returns
        -------
        Blocks
            Parts of about 131 072 samples and at most about 64 MB, cut between chunks.

        Raises
        ------
        ImportError
            zarr is not installed.
        TypeError, ValueError
            There is no such file, array or column, or arrays do not fit one another.

        Examples
        --------
        >>> import numpy as np
        >>> import zarr
        >>> from batchprop import Blocks
        >>> array = zarr.open("table.zarr", mode="w", shape=(4, 3), chunks=(2, 3), dtype="f8")
        >>> array[:] = np.arange(12).reshape(4, 3)  # 4 samples
        >>> blocks = Blocks.from_zarr("table.zarr", targets=[2])
        >>> blocks.n_inputs, blocks.n_samples
        (2, 4)
        """
        source = ZarrSource(files, dataset, inputs, targets, sample_weight, samples)
        return cls._of(source, cache)
