"""Benchmarks of batchprop: its three engines (``make bench``), and other libraries beside them.

``bench_*.py`` are pytest-benchmark suites; the tests run each once, untimed.  ``report`` turns
their results into tables and a plot.  ``peers`` times other libraries on the same work
(``make bench-peers``), ``memory`` measures how much memory training needs beyond its data.
"""
