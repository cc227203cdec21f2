"""The documents of this part: docstrings whose examples run, and all public names in the API."""

from __future__ import annotations

import doctest
import inspect

import dask
import pytest

import batchprop.dask
from batchprop import segments
from batchprop.dask import DaskBatchMLPRegressor, predict, train
from tests.project import ROOT
from tests.test_documented import documented_parameters, section

NAMED = {"train": train, "predict": predict, "DaskBatchMLPRegressor": DaskBatchMLPRegressor}


@pytest.mark.parametrize("name", NAMED)
def test_examples_give_what_they_say(name, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", 1 << 17)
    text = "\n".join(section(NAMED[name].__doc__, "Examples"))
    example = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    assert len(example.examples) > 4
    output = []
    with dask.config.set(scheduler="threads"):  # not a client that another test has left
        doctest.DocTestRunner(verbose=False).run(example, out=output.append)
    assert not output, "".join(output)


@pytest.mark.parametrize("method", [train, predict, DaskBatchMLPRegressor.fit])
def test_every_argument_is_documented(method):
    expected = set(inspect.signature(method).parameters) - {"self"}
    assert documented_parameters(method.__doc__) == expected


def test_every_public_name_is_in_the_reference():
    reference = (ROOT / "docs" / "api" / "dask.md").read_text("utf-8")
    for name in batchprop.dask.__all__:
        assert f"batchprop.dask.{name}\n" in reference
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        _ = batchprop.dask.fit
