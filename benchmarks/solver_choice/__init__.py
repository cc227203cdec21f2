"""Which solver reaches a loss first: the basis of the rule of ``solver="auto"``.

python -m benchmarks.solver_choice
"""
