"""Which solver is first at a loss: what ``solver="auto"`` rests on.

python -m benchmarks.solver_choice
"""
