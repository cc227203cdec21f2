"""The benchmark of the price of a call: what it measures, and its report."""

from __future__ import annotations

from benchmarks import call_price


def test_the_report_has_every_measurement():
    large = {"8-50-1": {"none": 0.5, "one": 1.5, "step": 0.75}}
    text = call_price.document({"train": 1e-3}, large, {"gd": 4.0}, "2026-01-01")
    assert "| train | 1.00 ms |" in text
    assert "| 8-50-1 | 750 ms | 0.67 steps | 2.00 steps |" in text
    assert "| gd | 4.00 s |" in text


def test_a_step_is_what_longer_calls_take_longer(monkeypatch):
    seconds = iter([1.0, 3.0, 11.0])
    monkeypatch.setattr(call_price, "shortest", lambda call, repetitions: next(seconds))
    case = call_price.Large(2, 3, 1, 10)
    times = call_price.one_step_ratio(case, rows_are_samples=True, repetitions=1)
    assert times == {"none": 1.0, "one": 3.0, "step": 8.0 / call_price.STEPS}
