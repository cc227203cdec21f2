"""The version of the package, read by its modules and by the build."""

from __future__ import annotations

__version__ = "0.2.0"

# The pages of docs/, as a site: scaling.html is docs/scaling.md.
DOCS = "https://batchprop.readthedocs.io/en/latest/"
