"""Data as a sequence of blocks of samples, for sources that do not fit into memory.

- ``blocks``: the public class, with its bases ``array_blocks`` and ``block_sequence``;
  ``checked_block``: what is checked of every block.
- ``source``: what a source of blocks implements; ``sequence_source``: anything with ``len`` and
  ``[i]``.
- ``file_source``: what all files have in common.  ``npy_source`` with ``npy_header``;
  ``parquet_source`` and ``arrow_source`` with ``arrow_columns``; ``hdf5_source`` and
  ``zarr_source`` with ``dataset_source`` and ``dataset_columns``.
- ``column_choice``: which columns are inputs, targets and weights; ``table_columns``: columns of
  tables in memory; ``stacked_columns``: columns as one (e, n) array.
- ``array_axes``: which axis of an array has the samples, and where it is cut.
- ``file_names``: globs, folders and lists of files; ``file_formats``: formats by extension;
  ``file_window``: a part of a file as an array; ``origin``: by what files are recognised.
- ``read_ahead``: reads the next block while the caller computes; ``cache``: a source as one raw
  file, ``cache_file``.

Imports validation, files, engines, and ``optional_package`` of export.
"""
