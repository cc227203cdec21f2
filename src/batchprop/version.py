"""The version of the package, where the package's own modules and its build read it."""

from __future__ import annotations

__version__ = "0.1.0"
