"""Run the notebooks from top to bottom and save their outputs, without a trace of the machine.

.venv/bin/python docs/notebooks/execute.py                renew all notebooks in place
.venv/bin/python docs/notebooks/execute.py --output DIR   leave them, write copies into DIR
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

DOCS = Path(__file__).resolve().parent.parent
FOLDERS = (DOCS / "notebooks", DOCS / "pt" / "notebooks")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def isolate(folder: Path) -> None:
    """Point everything Jupyter and IPython would read from the user's home into a folder."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        os.environ[name] = str(folder / name.lower())
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "MPLBACKEND"):
        os.environ.pop(name, None)
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    os.environ["CI"] = "1"  # no progress lines in saved outputs
    os.environ["PYTHONPATH"] = str(DOCS.parent / "src")


def executed(path: Path) -> nbformat.NotebookNode:
    """Return a notebook with fresh outputs and nothing in it that another machine would change."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = nbformat.NotebookNode()
        for output in cell.get("outputs", []):
            if output.output_type == "display_data":
                output.metadata = nbformat.NotebookNode()
    return notebook


def main() -> None:
    """Execute every notebook, or those that the command names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="where to write them; by default in place")
    parser.add_argument("notebooks", nargs="*", type=Path, help="these only")
    options = parser.parse_args()
    everything = [path for folder in FOLDERS for path in sorted(folder.glob("*.ipynb"))]
    paths = [path.resolve() for path in options.notebooks] or everything
    with tempfile.TemporaryDirectory() as folder:
        isolate(Path(folder))
        for path in paths:
            nbformat.write(executed(path), (options.output or path.parent) / path.name)


if __name__ == "__main__":
    main()
