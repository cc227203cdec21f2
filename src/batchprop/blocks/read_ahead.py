"""Reading beside computing: a thread reads the next item while the caller uses the last one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from queue import Empty, SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")

_POLL = 0.25  # seconds; Windows delivers Ctrl-C only between two waits


def read_ahead(load: Callable[[int], Item], n_items: int) -> Generator[Item]:
    """Yield ``load(0)`` to ``load(n_items - 1)``, each loaded while its predecessor is in use.

    At most one item is loaded ahead, so that two are in memory: the caller's and the next one.
    An exception in ``load`` is raised where its item would have come.  The thread ends with the
    generator: after the last item, after an exception on either side, and when it is closed.
    Closing waits for the item that is being loaded.

    Parameters
    ----------
    load : callable
        Returns the item of an index; called in one thread, with ascending indices.
    n_items : int
        How many there are.

    Yields
    ------
    object
        The items in order.
    """
    if n_items == 1:  # nothing to read beside
        yield load(0)
        return
    loaded: SimpleQueue[tuple[Item | None, BaseException | None]] = SimpleQueue()
    may_load = threading.Semaphore(1)
    closed = threading.Event()

    def work() -> None:
        for index in range(n_items):
            may_load.acquire()
            if closed.is_set():
                return
            try:
                loaded.put((load(index), None))
            except BaseException as error:
                loaded.put((None, error))
                return

    thread = threading.Thread(target=work, name="batchprop-read-ahead", daemon=True)
    thread.start()
    try:
        for _ in range(n_items):
            item, error = _next(loaded)
            if error is not None:
                raise error
            may_load.release()
            yield item  # type: ignore[misc]  # None only beside an error
            del item  # or it would stay in memory beside its two successors
    finally:
        closed.set()
        may_load.release()
        thread.join()


def _next(queue: SimpleQueue[Item]) -> Item:
    """Return the next element; Ctrl-C interrupts the waiting on every system."""
    while True:
        try:
            return queue.get(timeout=_POLL)
        except Empty:
            continue
