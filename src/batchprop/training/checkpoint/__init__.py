"""Checkpoints: where a run stands, in memory and in files, and how it goes on from there.

``checkpoint`` is the public class, ``checkpoint_content`` checks its parts, ``checkpoint_file``
reads and writes them, ``writer`` keeps a run's file up to date, ``resume`` turns a checkpoint into
the arguments of a call, and ``fingerprint`` recognises the data.

Imports solvers, scaling, files and validation, and of training its options and results.
"""
