"""Solvers: how θ moves, and when to stop.

``first_order``, ``lbfgs`` and ``levenberg_marquardt`` have a folder each, SciPy's solvers have the
file ``scipy_minimize``.  ``settings`` has the solvers' names and default numbers, ``auto`` chooses
a solver, ``registry`` finds its parts, ``stopping`` has the stopping rules and the state of a run,
``penalty_kernel`` the penalty, and ``state_checks`` the checks of a state from a file.

Imports engines, linalg, the compiler and the layers below these.
"""
