"""``thread_map``: a function of many items, in as many threads as the system gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")


def thread_map(
    function: Callable[[Item], Value], items: Sequence[Item], n_threads: int
) -> list[Value]:
    """Return the function's values, in the order of the items.

    The function must not depend on who calls it, how often, or in which order.  Where no thread can
    be started, the caller's does the work.  Ctrl-C, or an exception, drops what has not begun.

    Parameters
    ----------
    function : callable
        Called with one item.
    items : sequence
        Its arguments.
    n_threads : int
        At most so many threads; with 1 the caller's alone.
    """
    size = min(n_threads, len(items))
    if size <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(size) as pool:
        try:
            running: list[Future[Value] | Value] = []
            for item in items:
                try:
                    running.append(pool.submit(function, item))
                except RuntimeError:  # no thread can be started
                    running.append(function(item))
            return [each.result() if isinstance(each, Future) else each for each in running]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
