"""Files that are written atomically, and readers that do not trust what they read.

- ``atomic_file``: writes arrays to an .npz file, or bytes, to a file that is complete or not there.
- ``temporary_file``: the files used while writing, and the removal of abandoned ones.
- ``npz_reader``: reads arrays from an .npz file of unknown origin.
- ``network_file``: the format of a saved network.
- ``pytree``: copies, flattens and rebuilds nested NamedTuples of arrays.

Imports parameters and validation.
"""
