"""The command line: its commands and their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from batchprop import validation
from batchprop.activations import ACTIVATIONS
from batchprop.cli.delimited_text import separator
from batchprop.cli.errors import MEANINGS
from batchprop.solvers.settings import AUTO, SOLVERS
from batchprop.version import __version__

DESCRIPTION = (
    "Train networks with one hidden layer on tables, and use them. Rows are samples. "
    "A table is a CSV, TSV or Parquet file, or - for standard input."
)
EXPORT_FORMATS = ("c", "onnx", "safetensors", "excel", "matlab", "python", "r")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; ``command`` is the name of the chosen command."""
    exit_codes = "\n".join(f"  {code:<4} {text}" for code, text in MEANINGS.items())
    main = argparse.ArgumentParser(
        prog="batchprop",
        description=DESCRIPTION,
        epilog=f"exit codes:\n{exit_codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    main.add_argument("--version", action="version", version=f"batchprop {__version__}")
    commands = main.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_train(commands)
    _add_predict(commands)
    _add_evaluate(commands)
    _add_export(commands)
    _add_check_gradient(commands)
    _add_info(commands)
    return main


def option_names(main: argparse.ArgumentParser, command: str) -> list[str]:
    """Return the options of a command."""
    for action in main._actions:
        if isinstance(action, argparse._SubParsersAction):
            return list(action.choices[command]._option_string_actions)
    return []


def _add_train(commands: Any) -> None:
    train = _command(
        commands,
        "train",
        "train a network on a table and save it as a model",
        "TABLE --target COLUMN [options]",
    )
    train.add_argument("table", metavar="TABLE", help="the table; - for standard input")
    group = train.add_argument_group("columns")
    names: dict[str, Any] = {"action": "append", "default": [], "metavar": "COLUMN[,COLUMN]"}
    group.add_argument(
        "--target", **(names | {"required": True}), help="to predict; repeat it for several"
    )
    group.add_argument("--inputs", **names, help="to predict from (default: all other columns)")
    group.add_argument("--ignore", **names, help="to leave out")
    group.add_argument("--categorical", **names, help="inputs whose cells are categories")
    group.add_argument("--weights", metavar="COLUMN", help="weights of the rows")
    _add_table_options(train)
    group = train.add_argument_group("network and training (default: chosen by the data)")
    group.add_argument("--hidden-size", type=_count, metavar="M", help="hidden units (default 50)")
    group.add_argument(
        "--activation",
        type=_checked(validation.activation),
        metavar="NAME",
        help=f"{', '.join(ACTIVATIONS)} (default tanh)",
    )
    group.add_argument(
        "--solver",
        type=_checked(lambda text: validation.choice("--solver", text, (AUTO, *SOLVERS))),
        default=AUTO,
        metavar="NAME",
        help=f"{', '.join((AUTO, *SOLVERS))} (default auto)",
    )
    group.add_argument(
        "--alpha",
        type=_alpha,
        default=AUTO,
        metavar="A",
        help="the penalty: a number, two numbers A,B, evidence or cv (default auto); "
        "0 for data without noise",
    )
    group.add_argument(
        "--n-init", type=_count, default=1, metavar="K", help="train from K random starts"
    )
    group.add_argument(
        "--combine",
        choices=("best", "mean"),
        default="best",
        help="of several starts take the best, or the mean as one network",
    )
    group.add_argument(
        "--uncertainty",
        choices=("laplace",),
        help="let the model say how sure it is: predict --std, --interval",
    )
    group.add_argument("--max-seconds", type=_positive, metavar="S", help="limit of the training")
    group.add_argument("--max-epochs", type=_count, metavar="N", help="limit of each training")
    group.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="of the start and of the held-out rows"
    )
    group.add_argument("--threads", type=_count, metavar="N", help="at most (default: all)")
    group = train.add_argument_group("measuring the error")
    group.add_argument(
        "--hold-out",
        type=_fraction,
        default=0.2,
        metavar="FRACTION",
        help="share of the rows that measure the error (default 0.2); 0 for none",
    )
    group.add_argument(
        "--refit-all",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="train the saved network on all rows, after the error was measured (default)",
    )
    group = train.add_argument_group("output")
    group.add_argument(
        "-o", "--output", metavar="FILE", help="the model (default: the table's name, .npz)"
    )
    group.add_argument("--report", metavar="FILE", help="an HTML page with errors and pictures")
    _add_output_style(group)


def _add_predict(commands: Any) -> None:
    predict = _command(
        commands, "predict", "predict the targets of a table, as CSV", "MODEL TABLE [options]"
    )
    _add_model_and_table(predict)
    _add_table_options(predict)
    predict.add_argument(
        "--std", action="store_true", help="add the standard deviation of each prediction"
    )
    predict.add_argument(
        "--interval",
        type=_level,
        metavar="LEVEL",
        help="add the interval that holds the true value with this probability, such as 0.9",
    )
    predict.add_argument("--threads", type=_count, metavar="N", help="at most (default: all)")
    predict.add_argument(
        "-o", "--output", metavar="FILE", help="where to write (default: standard output)"
    )
    predict.add_argument("--quiet", action="store_true", help="no notes")


def _add_evaluate(commands: Any) -> None:
    evaluate = _command(
        commands, "evaluate", "measure the errors of a model on a table", "MODEL TABLE [options]"
    )
    _add_model_and_table(evaluate)
    evaluate.add_argument("--weights", metavar="COLUMN", help="weights of the rows")
    _add_table_options(evaluate)
    evaluate.add_argument("--threads", type=_count, metavar="N", help="at most (default: all)")
    _add_output_style(evaluate)


def _add_export(commands: Any) -> None:
    export = _command(
        commands,
        "export",
        "write the network of a model for other programs",
        "MODEL --to FORMAT [-o FILE]",
    )
    export.add_argument("model", metavar="MODEL", help="made by batchprop train")
    export.add_argument("--to", required=True, choices=EXPORT_FORMATS, help="the format")
    export.add_argument("-o", "--output", metavar="FILE", help="where to write")
    export.add_argument(
        "--dtype", choices=("float32", "float64"), help="precision (default: the model's)"
    )
    export.add_argument("--quiet", action="store_true", help="no notes")


def _add_check_gradient(commands: Any) -> None:
    check = _command(
        commands,
        "check-gradient",
        "compare the gradient with the complex step and finite differences",
        "[MODEL [TABLE]] [options]",
    )
    check.add_argument(
        "model", nargs="?", metavar="MODEL", help="a model (default: a random network)"
    )
    check.add_argument(
        "table", nargs="?", metavar="TABLE", help="its table (default: random samples)"
    )
    _add_table_options(check)
    check.add_argument(
        "--engine",
        choices=("fused", "vectorized", "naive"),
        default="fused",
        help="what computes the gradient (default fused)",
    )
    check.add_argument("--seed", type=_seed, default=0, metavar="N", help="of what is random")
    _add_output_style(check)


def _add_info(commands: Any) -> None:
    info = _command(commands, "info", "describe this installation, or a model", "[MODEL] [--json]")
    info.add_argument("model", nargs="?", metavar="MODEL", help="a model to describe")
    info.add_argument("--json", action="store_true", help="write one JSON object")
    info.add_argument("--quiet", action="store_true", help="no notes")


def _command(commands: Any, name: str, text: str, usage: str) -> argparse.ArgumentParser:
    """Add a command.  Its usage is one line: errors show it, and ``--help`` has all options."""
    command = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        usage=f"batchprop {name} {usage} (--help lists the options)",
        allow_abbrev=False,
    )
    assert isinstance(command, argparse.ArgumentParser)
    return command


def _add_model_and_table(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help="made by batchprop train")
    command.add_argument("table", metavar="TABLE", help="the table; - for standard input")


def _add_table_options(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("table")
    group.add_argument(
        "--separator",
        type=_checked(separator),
        metavar="C",
        help="a character, or comma, semicolon, tab, pipe, space (default: detected)",
    )
    if command.prog.endswith("train"):
        group.add_argument(
            "--no-header",
            dest="header",
            action="store_false",
            help="the first row is data; columns are named by their numbers, from 1",
        )
    group.add_argument("--encoding", default="utf-8", metavar="NAME", help="default utf-8")
    group.add_argument(
        "--drop-incomplete", action="store_true", help="leave out rows with a missing value"
    )


def _add_output_style(group: Any) -> None:
    group.add_argument("--json", action="store_true", help="write one JSON object")
    group.add_argument("--quiet", action="store_true", help="no notes, no progress")


def _checked(check: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a type for ``argparse`` from a check that raises ValueError."""

    def checked(text: str) -> Any:
        try:
            return check(text)
        except (TypeError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _number(text: str, kind: type[float] | type[int], expected: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be {expected}; got {text!r}") from None


def _count(text: str) -> int:
    value = _number(text, int, "a whole number of at least 1")
    return int(_within(value, text, "a whole number of at least 1", value >= 1))


def _seed(text: str) -> int:
    value = _number(text, int, "a whole number of at least 0")
    return int(_within(value, text, "a whole number of at least 0", value >= 0))


def _positive(text: str) -> float:
    value = _number(text, float, "a number above 0")
    return _within(value, text, "a number above 0", 0 < value < float("inf"))


def _fraction(text: str) -> float:
    expected = "at least 0 and less than 1, such as 0.2"
    value = _number(text, float, expected)
    return _within(value, text, expected, 0 <= value < 1)


def _level(text: str) -> float:
    expected = "above 0 and less than 1, such as 0.9"
    value = _number(text, float, expected)
    return _within(value, text, expected, 0 < value < 1)


def _within(value: float, text: str, expected: str, is_valid: bool) -> float:
    if not is_valid:
        raise argparse.ArgumentTypeError(f"must be {expected}; got {text!r}")
    return value


def _alpha(text: str) -> float | tuple[float, float] | str:
    """Return a penalty: a number, a pair of numbers, or the name of a method."""
    value: Any = text
    try:
        numbers = [float(part) for part in text.split(",")]
        value = numbers[0] if len(numbers) == 1 else tuple(numbers)
    except ValueError:
        pass
    try:
        checked = validation.penalty_or_method(value)
    except (TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return value if isinstance(checked, tuple) else checked
