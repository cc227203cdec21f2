"""The pairs of docs/coming-from*.md: the same fit in another tool and in batchprop, compared.

``sides`` has the other tools' halves, one script a tool.  Each is run by an interpreter that has
the tool, reads one file of arrays and prints JSON.  ``pairs`` has batchprop's halves and what is
compared.
"""
