"""The Python blocks of a page, run in order, and what they print beside what the page shows.

All blocks of a page share one namespace.  The output of a block is the ``text`` fence, or the
indented block, that follows it with nothing but blank lines between.  Warnings, and an exception
that ends the block, belong to its output, each as one line such as ``ValueError: X must be ...``.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib.util
import io
import re
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.shown_output import agrees

_CODE = re.compile(
    r"(?P<marker><!--[ ](?:not[ ]run|output[ ]not[ ]shown):[^>]*-->\s*\n)?"
    r"^```(?P<language>python|py|pycon)[ ]*\n(?P<code>.*?)^```[ ]*$"
    r"(?:\n(?:[ ]*\n)*(?:```text[ ]*\n(?P<fenced>.*?)^```[ ]*$"
    r"|(?P<indented>(?:[ ]{4}[^\n]*(?:\n|\Z)|[ ]*\n(?=(?:[ ]*\n)*[ ]{4}))+)))?",
    re.MULTILINE | re.DOTALL,
)
_NO_BLOCK_RUNS = re.compile(r"<!-- no block runs: [^>]+ -->")


@dataclass(frozen=True)
class Block:
    """Some code of a page, and the output that the page shows for it."""

    line: int
    code: str
    shown: str  # "" if nothing is shown
    compared: bool = True  # False if the page says that the output is not shown
    prompt: bool = False  # typed at ">>>", where Python prints the value of an expression

    def modules(self) -> set[str]:
        """Return the packages that the code imports."""
        names = set()
        for node in self._nodes():
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                names.add(str(node.module))
        return {name.split(".")[0] for name in names}

    def names(self, kind: type[ast.expr_context]) -> set[str]:
        """Return the variables that the code reads (ast.Load) or assigns (ast.Store)."""
        nodes = (node for node in self._nodes() if isinstance(node, ast.Name))
        return {node.id for node in nodes if type(node.ctx) is kind}

    def _nodes(self) -> Iterator[ast.AST]:
        with contextlib.suppress(SyntaxError):  # running the block reports it
            yield from ast.walk(ast.parse(self.code))


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a page that run."""
    if _NO_BLOCK_RUNS.search(text):
        return
    for match in _CODE.finditer(text):
        marker = match["marker"] or ""
        if "not run" in marker:
            continue
        line = text.count("\n", 0, match.start("code")) + 1
        if match["language"] == "pycon" or match["code"].startswith(">>>"):
            for example in doctest.DocTestParser().get_examples(match["code"]):
                yield Block(line + example.lineno, example.source, example.want, prompt=True)
        else:
            shown = match["fenced"] or match["indented"] or ""
            yield Block(line, match["code"], shown, not marker)


def output(block: Block, namespace: dict[str, object]) -> str:
    """Run a block and return what it prints, with its warnings and the exception that ends it."""
    printed = io.StringIO()

    def show(message, category, *_args, **_options):
        printed.write(f"{category.__name__}: {message}\n")

    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("always")
        for hidden in (ResourceWarning, PendingDeprecationWarning):  # as Python hides them
            warnings.simplefilter("ignore", hidden)
        warnings.showwarning = show
        try:
            mode = "single" if block.prompt else "exec"
            exec(compile(block.code, f"line {block.line}", mode), namespace)
        except Exception as error:
            if isinstance(error, ImportError) and "pip install" in str(error):
                raise  # an optional package, which batchprop itself imports
            printed.write(traceback.format_exception_only(error)[-1])
            if not block.shown:
                printed.write("".join(traceback.format_tb(error.__traceback__)))
    return printed.getvalue()


def run(path: Path) -> tuple[list[str], set[str]]:
    """Run a page in the current folder; return what is not as shown, and the missing packages."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    faults, missing, undefined = [], set(), set()
    for block in blocks(path.read_text("utf-8")):
        absent = {name for name in block.modules() if importlib.util.find_spec(name) is None}
        if absent or block.names(ast.Load) & undefined:
            missing |= absent
            undefined |= block.names(ast.Store)  # later blocks that read these cannot run either
            continue
        try:
            printed = output(block, namespace)
        except ImportError as error:
            missing.add(str(error))
            undefined |= block.names(ast.Store)
            continue
        if block.compared and not agrees(block.shown, printed):
            shown = block.shown or "    nothing\n"
            faults.append(f"{path.name}, line {block.line}: shown\n{shown}printed\n{printed}")
    return faults, missing
