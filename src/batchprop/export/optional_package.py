"""Packages that only an export needs: imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def optional_package(module: str, caller: str, requirement: str) -> Any:
    """Import a module of an optional package.

    Parameters
    ----------
    module : str
        The module, for example "onnx.reference".
    caller : str
        What needs it, in the words of the user's call.
    requirement : str
        What ``pip install`` is to be given: an extra of batchprop, or the package's own name.

    Raises
    ------
    ImportError
        The package is not installed.
    """
    package = module.split(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != package:
            raise  # the package is there, and something that it needs is not
    quoted = f'"{requirement}"' if "[" in requirement else requirement  # for shells
    raise ImportError(
        f"{caller} needs the package {package}, which is not installed here. Install it with: "
        f"pip install {quoted}",
        name=package,
    )
