"""The published benchmark of one-hidden-layer regression on UCI tables.

- ``tables``: the tables and their splits.
- ``calls``: our calls, and models of other libraries, with what they predict for test rows.
- ``scores``: RMSE, likelihood, coverage and width, and their means over splits.
- ``protocol``: all calls on all splits; ``storage``: their results as JSON.
- ``published``: results from publications; ``report``: all of them beside each other.

python -m benchmarks.uci --data FOLDER
"""
