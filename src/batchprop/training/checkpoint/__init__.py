"""Checkpoints: the state of a run, in memory and in files, and how a run resumes from one.

``checkpoint`` has the public class, ``checkpoint_content`` checks its parts, ``checkpoint_file``
reads and writes them, ``writer`` updates a run's file, ``resume`` combines a checkpoint with the
options of a call, and ``fingerprint`` recognises the data.

Imports solvers, scaling, files and validation; of training, only options and results.
"""
