"""Other libraries on the same work: the full-batch gradient step of a one-hidden-layer network.

Each library runs in a process of its own (``worker``), pinned to its cores, in the environment
that suits it best (``environment``), with carefully optimised code (``libraries``).  Its gradient
is first compared with a float64 reference (``candidate``).  Then the processes of a case take
turns, a chunk of steps at a time (``runner``), so that noise affects all of them.  The same rounds
measure the machine's limits (``floor``).  ``summary``, ``tables`` and ``plots`` make the report.
"""
