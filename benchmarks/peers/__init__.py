"""Other libraries on the same work: the full-batch gradient step of one hidden layer.

Each library computes in a process of its own (``worker``), pinned to its cores, in the environment
that suits it best (``environment``), from code as good as one can write with it (``libraries``).
Its gradient is compared with a float64 reference first (``candidate``); then the processes of one
case take turns, a chunk of steps at a time (``runner``), so that noise hits them all.  The same
rounds measure the machine's limits (``floor``).  ``summary``, ``tables`` and ``plots`` tell it.
"""
