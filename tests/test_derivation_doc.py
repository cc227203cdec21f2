"""docs/derivation.md names functions, quotes code, computes, draws: all of it has to be right."""

from __future__ import annotations

import ast
import doctest
import re
from pathlib import Path

from batchprop.engines.naive import activation_formulas
from tools import draw_networks

DOC = Path(__file__).parent.parent / "docs" / "derivation.md"
TEXT = DOC.read_text("utf-8")
LINKS = re.findall(r"\[([^\]]+)\]\(([^)#]+)\)", TEXT)
FUNCTIONS = [(label.strip("`"), target) for label, target in LINKS if re.match(r"`\w+\.\w+", label)]
FUNCTIONS = [(name, target) for name, target in FUNCTIONS if not name.endswith((".py", ".ipynb"))]
QUOTED = re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
TYPED = re.findall(r"^```pycon\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
NOTE = "<!-- not run: a quotation from the naive engine -->"
# A weight, activation or target in the lecture's notation, where only ours may be used.
LECTURE = re.compile(r"[wb]\^[01]|[hz]\^[013k]|\\hat|[wb][⁰¹]")


def definitions(path):
    """Dotted names of the functions, classes and methods of a file, below the file's name."""

    def walk(node, prefix):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                yield f"{prefix}.{child.name}"
                yield from walk(child, f"{prefix}.{child.name}")

    return set(walk(ast.parse(path.read_text("utf-8")), path.stem))


def slug(heading):
    """The anchor that a heading gets: lower case, no punctuation, dashes for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def flat(code):
    """The lines of some code without their indentation."""
    return "\n".join(["", *(line.strip() for line in code.strip().splitlines()), ""])


def test_named_function_is_defined_where_the_link_leads():
    assert FUNCTIONS
    offenders = [
        f"{name} in {target}"
        for name, target in sorted(set(FUNCTIONS))
        if name not in definitions(DOC.parent / target)
    ]
    assert not offenders


def test_every_result_names_its_code():
    parts = re.split(r"^## Result (\d+)", TEXT, flags=re.MULTILINE)
    sections = dict(zip(map(int, parts[1::2]), parts[2::2], strict=True))
    assert sorted(sections) == list(range(1, 11))
    for number, section in sections.items():
        named = any(f"[`{name}`]" in section for name, _ in FUNCTIONS)
        assert named or "notebooks/" in section, number


def test_every_function_of_the_derivation_is_mentioned():
    folder = Path(activation_formulas.__file__).parent
    public = {"scalar", "chain_rule", "matrix"}
    helpers = {
        *("scalar.Forward", "matrix.Forward", "matrix.Sample", "matrix.Blocks", "scalar.Gradient"),
        *("matrix.zeros_like", "matrix.columns", "matrix.to_rows", "matrix.predict"),
        *("matrix.mean_loss", "matrix.loss_and_gradient", "chain_rule.loss_and_gradient"),
    }
    for module in public:
        missing = definitions(folder / f"{module}.py") - helpers - {name for name, _ in FUNCTIONS}
        assert not missing


def test_quoted_lines_stand_together_in_the_naive_engine():
    folder = Path(activation_formulas.__file__).parent
    sources = [flat(path.read_text("utf-8")) for path in folder.glob("*.py")]
    assert QUOTED
    assert not [block for block in QUOTED if not any(flat(block) in source for source in sources)]


def test_anchors_lead_to_headings():
    anchors = {slug(heading) for heading in re.findall(r"^#+ (.+)$", TEXT, flags=re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors


def test_quotations_are_marked_as_not_run():
    assert TEXT.count(NOTE) == TEXT.count(f"{NOTE}\n```python\n") == len(QUOTED)


def test_what_is_typed_prints_what_is_shown():
    faults, names = [], {}
    runner = doctest.DocTestRunner(verbose=False)
    for number, code in enumerate(TYPED):
        block = doctest.DocTestParser().get_doctest(code, names, f"block {number}", str(DOC), 0)
        runner.run(block, out=faults.append, clear_globs=False)
        names = block.globs
    assert not faults, "".join(faults)
    assert runner.tries > 50


def test_a_weight_has_one_notation():
    """The lecture's own is in the section that compares the two, and nowhere else."""
    before, section = TEXT.split("### Where the lecture's notation differs")
    section, after = section.split("### The network in numbers")
    assert LECTURE.search(section)
    assert not LECTURE.search(before)
    assert not LECTURE.search(after)
    assert not re.search(r"\bw_[hy]\b", TEXT)


def test_every_picture_is_drawn_by_the_tool_and_shown():
    drawn = {picture.name for picture in draw_networks.PICTURES}
    assert drawn == {path.stem for path in (DOC.parent / "images").glob("derivation-*.png")}
    assert drawn == set(re.findall(r"\]\(images/(derivation-[\w-]*)\.png\)", TEXT))


def test_the_tool_draws_small_pictures(tmp_path):
    path = draw_networks.Drawing(draw_networks.PICTURES[-1]).save(tmp_path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert 5_000 < path.stat().st_size < 100_000
