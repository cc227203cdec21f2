"""Solvers: how θ moves, and when to stop.

One folder each for ``first_order``, ``lbfgs`` and ``levenberg_marquardt``, one file for SciPy's
(``scipy_minimize``).  ``settings`` has their names and numbers, ``auto`` chooses one, ``registry``
finds its parts, ``stopping`` holds the rules of all, ``penalty_kernel`` the penalty, and
``state_checks`` what a state from a file must be.

Imports engines, linalg, the compiler and what stands below these.
"""
