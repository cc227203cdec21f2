"""Solvers: how θ moves, and when to stop.

``protocol`` says what a solver is.  ``first_order``, ``lbfgs`` and ``levenberg_marquardt`` are a
folder each; their modules ``*_solver`` implement the protocol.  ``scipy_minimize`` is SciPy's
solvers, ``scipy_settings`` their options.  ``registry`` finds a solver by its name, ``auto``
chooses one, ``settings`` has names and numbers.  ``compiled_run`` and ``interpreted_run`` hold what
all loops share, ``stopping`` the rules, ``penalty_kernel`` the penalty, and ``state_checks`` what a
state from a file must be.

Imports engines, linalg, the compiler and what stands below these.
"""
