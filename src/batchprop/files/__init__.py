"""Files that are whole or not there, and readers that trust nothing.

``atomic_file`` writes, ``temporary_file`` knows what is being written, ``npz_reader`` reads arrays,
``network_file`` is the form of a saved network, ``pytree`` takes nested tuples of arrays apart.

Imports parameters and validation.
"""
