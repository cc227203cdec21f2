"""Which columns are inputs, targets and weights."""

from __future__ import annotations

import pytest

from batchprop.cli import column_choice
from batchprop.cli.column_choice import Options
from batchprop.cli.columns import INPUT, TARGET, WEIGHT
from batchprop.cli.console import Console
from batchprop.cli.errors import BAD_DATA, USAGE, CommandError
from batchprop.cli.model import InputColumn, TableDescription

NAMES = ["a", "b", "c", "y", "w", "d, e"]
CONSOLE = Console("test", quiet=True)


def chosen(names=NAMES, **options):
    columns = column_choice.for_training(names, Options(**options), CONSOLE)
    return {role: [c.name for c in columns if c.role == role] for role in (INPUT, TARGET, WEIGHT)}


def test_inputs_are_all_other_columns():
    assert chosen(targets=["y"], weights="w", ignored=["b"]) == {
        INPUT: ["a", "c", "d, e"],
        TARGET: ["y"],
        WEIGHT: ["w"],
    }


def test_lists_of_names_and_names_with_commas():
    assert chosen(targets=["y, w"], inputs=["c,a"])[TARGET] == ["y", "w"]
    assert chosen(targets=["y"], inputs=["c,a", "b"])[INPUT] == ["c", "a", "b"]
    assert chosen(targets=["d, e"])[TARGET] == ["d, e"]
    assert chosen(targets=["y"], inputs=['a,"d, e"'])[INPUT] == ["a", "d, e"]


def test_positions_are_those_of_the_table():
    columns = column_choice.for_training(NAMES, Options(["y"], ["c", "a"]), CONSOLE)
    assert [column.position for column in columns] == [2, 0, 3]


def test_categories_are_marked():
    columns = column_choice.for_training(NAMES, Options(["y"], categorical=["b"]), CONSOLE)
    assert [column.name for column in columns if column.categorical] == ["b"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"targets": ["Y"]}, r"--target must name a column.*'Y'. Did you mean 'y'\?"),
        ({"targets": ["price"]}, "--target.*Its columns: 'a', 'b'"),
        ({"targets": ["y"], "inputs": ["a,y"]}, "'y' is named by --target and by --inputs"),
        ({"targets": ["y"], "weights": "y"}, "'y' is named by --target and by --weights"),
        ({"targets": ["y"], "weights": "w,a"}, "--weights must name one column"),
        ({"targets": ["y"], "categorical": ["y"]}, "--categorical must name an input"),
        ({"targets": ["y"], "categorical": ["b"], "ignored": ["b"]}, "--categorical"),
        ({"targets": ["y"], "ignored": ["a,b,c,w", "d, e"]}, "No column is left"),
    ],
)
def test_mistakes(options, text):
    with pytest.raises(CommandError, match=text) as caught:
        chosen(**options)
    assert caught.value.code == USAGE


def test_names_that_are_not_unique():
    names = ["a", "a", "b", "y"]
    with pytest.raises(CommandError, match=r"columns 1 and 2 .* --ignore a") as caught:
        chosen(names, targets=["y"])
    assert caught.value.code == BAD_DATA
    assert chosen(names, targets=["y"], ignored=["a"])[INPUT] == ["b"]
    assert chosen(names, targets=["y"], inputs=["b"])[INPUT] == ["b"]


def test_columns_without_a_name_are_left_out(capsys):
    columns = column_choice.for_training(["", "a", "y"], Options(["y"]), Console("test"))
    assert [column.name for column in columns] == ["a", "y"]
    assert "column 1 left out: no name" in capsys.readouterr().err


def described(header=True):
    inputs = (InputColumn("2"), InputColumn("3", ("u", "v")))
    return TableDescription(inputs, ["1"], header, 4, 10, [0.0])


def test_a_model_finds_its_columns_by_name():
    columns = column_choice.of_model(["3", "1", "x", "2"], described(), "t", with_targets=True)
    assert [(c.name, c.position, c.role, c.levels) for c in columns] == [
        ("2", 3, INPUT, None),
        ("3", 0, INPUT, ("u", "v")),
        ("1", 1, TARGET, None),
    ]
    with pytest.raises(CommandError, match="lacks the column '3'.*It has '2', '1'"):
        column_choice.of_model(["2", "1"], described(), "t")


def test_a_model_without_names_finds_its_columns_by_position():
    numbered = described(header=False)
    whole = column_choice.of_model(["1", "2", "3", "4"], numbered, "t")
    assert [column.position for column in whole] == [1, 2]
    inputs_alone = column_choice.of_model(["1", "2"], numbered, "t")
    assert [column.position for column in inputs_alone] == [0, 1]
    with pytest.raises(CommandError, match=r"has 3 columns; .*4 columns.*, or its 2 inputs alone"):
        column_choice.of_model(["1", "2", "3"], numbered, "t")
    with pytest.raises(CommandError, match="has 2 columns"):
        column_choice.of_model(["1", "2"], numbered, "t", with_targets=True)
