"""Loading a model for the commands that use one."""

from __future__ import annotations

from batchprop.cli import model
from batchprop.cli.errors import CommandError
from batchprop.cli.model import Model


def loaded(path: str) -> Model:
    """Return a model from its file.

    Raises
    ------
    CommandError
        The file is no model.
    OSError
        The file cannot be opened.
    """
    try:
        return model.load(path)
    except ValueError as error:
        raise CommandError(str(error).replace("path must", "MODEL must", 1)) from None
