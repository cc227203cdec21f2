"""The rules by which pages are run and compared: what passes, and above all what fails."""

from __future__ import annotations

import textwrap

import pytest

from tests.pages import blocks, run
from tests.shown_output import agrees


def page(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(textwrap.dedent(text), "utf-8")
    return path


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("R² 0.983", "R² 0.979"),
        ("0.02", "0.0249"),  # one in the last digit
        ("1.25e-3", "0.001255"),
        ("-0.5 +2.0", "−0.499 +2.01"),
        ("lbfgs, 711 epochs, 0.59 s", "lbfgs, 96 epochs, 12 ms"),
        ("loss ... end", "loss 1, 2\n3 end"),
        ("first\n...\nlast", "first\na\nb\nlast"),
        ("pi is 3.14...", "pi is 3.14159"),
        ("[[0.1  0.2]\n [1.0 -2.0]]", "[[ 0.1 0.2]\n [ 1.  -2. ]]"),
        ("3-50-1, tanh", "3-50-1, tanh"),
        ("2 (0.75)", "2 (.75)"),
        ("error 2.1e-16 0.0e+00", "error 4.4e-15 1.1e-16"),
    ],
)
def test_what_agrees(shown, printed):
    assert agrees(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("R² 0.983", "R² 0.950"),
        ("R² 0.983", "r² 0.983"),
        ("0.5", "-0.5"),
        ("251 parameters", "252 parameters"),
        ("(3, 5)", "(3, 6)"),
        ("3.14...", "3.15"),
        ("a ... d", "a b c"),
        ("", "something"),
        ("something", ""),
        ("0.59 s", "0.59 kg"),
        ("3-50-1", "3-51-1"),
        ("1.0", "nan"),
        ("nan", "1.0"),
        ("1e-9", "1e-6"),
        ("0.0e+00", "1e-13"),
        ("1e-4", "1e-6"),
        ("0.01", "0.02"),
        ("0.1 0.2", "0.1 0.2 0.3"),
    ],
)
def test_what_does_not_agree(shown, printed):
    assert not agrees(shown, printed)


def test_blocks_share_a_namespace_and_their_output_follows(tmp_path):
    text = """\
    ```python
    a = 2.0
    ```

    Some text.

        not an output

    ```python
    print(a)
    print("b")
    ```

        2.0
        b

    ```python
    print(2 * a)
    ```

    ```text
    4.0
    ```

    ```pycon
    >>> a + 1
    3.0
    >>> a = 7
    ```
    """
    assert run(page(tmp_path, text)) == ([], set())
    assert [block.shown.split() for block in blocks(page(tmp_path, text).read_text())] == [
        *([], ["2.0", "b"], ["4.0"], ["3.0"], [])
    ]


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ("```python\nprint(1)\n```\n", "nothing"),  # prints without an output
        ("```python\nprint(1)\n```\n\n    2\n", "printed\n1"),
        ("```python\npass\n```\n\n    2\n", "2"),
        ("```python\n1 / 0\n```\n", "ZeroDivisionError: division by zero"),
        ("```python\nreturn 1\n```\n", "SyntaxError"),
        ("```python\nimport warnings\nwarnings.warn('so')\n```\n", "UserWarning: so"),
        ("```python\nfrom batchprop import nothing\n```\n", "ImportError"),
        ("```pycon\n>>> 1 + 1\n3\n```\n", "printed\n2"),
    ],
)
def test_what_a_page_does_not_show_is_a_fault(tmp_path, block, told):
    faults, missing = run(page(tmp_path, block))
    assert not missing
    assert len(faults) == 1
    assert told in faults[0]


def test_errors_and_warnings_can_be_shown(tmp_path):
    text = """\
    ```python
    import warnings
    warnings.warn("columns are constant")
    raise ValueError("X must be finite")
    ```

        UserWarning: columns are constant
        ValueError: X must be finite
    """
    assert run(page(tmp_path, text)) == ([], set())


def test_markers(tmp_path):
    text = """\
    <!-- not run: it takes an hour -->
    ```python
    1 / 0
    ```

    <!-- output not shown: it differs on every machine -->
    ```python
    print(id(1))
    ```
    """
    assert run(page(tmp_path, text)) == ([], set())
    quoted = "<!-- no block runs: they quote the code -->\n```python\n1 / 0\n```\n"
    assert not list(blocks(quoted))
    assert len(list(blocks("<!-- not run -->\n```python\n1 / 0\n```\n"))) == 1  # why not?


def test_a_missing_package_skips_what_needs_it(tmp_path):
    text = """\
    ```python
    import a_package_that_nobody_has
    a = a_package_that_nobody_has.value
    ```

    ```python
    print(a)
    b = a
    ```

    ```python
    print(b)
    ```

    ```python
    raise ImportError('needs torch; pip install "batchprop[torch]"')
    ```

    ```python
    print(1)
    ```

        2
    """
    faults, missing = run(page(tmp_path, text))
    assert len(faults) == 1
    assert len(missing) == 2
