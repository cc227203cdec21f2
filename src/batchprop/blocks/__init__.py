"""Data as a sequence of blocks of samples, for sources that do not fit into memory.

- ``blocks``: the public class; ``checked_block``: what is checked of every block.
- ``source``: what a source of blocks implements; ``sequence_source``: anything with ``len`` and
  ``[i]``.
- ``npy_source``, ``parquet_source``, ``arrow_source``, ``hdf5_source``, ``zarr_source``: files, by
  format; ``file_sources`` chooses the format by extension.
- ``column_choice``: which columns are inputs, targets and weights; ``table_columns`` and
  ``arrow_columns``: columns of tables as arrays; ``stacked_columns``: columns as one (e, n) array.
- ``array_axes``: which axis of an array has the samples, and where it is cut.
- ``file_names``: globs, folders and lists of files; ``file_window``: a part of a file as an array.
- ``read_ahead``: reads the next block while the caller computes; ``cache``: a source as one raw
  file.

Imports validation, files, engines, and ``optional_package`` of export.
"""
