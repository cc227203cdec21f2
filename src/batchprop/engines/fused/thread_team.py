"""A team of threads that share the pieces of one evaluation after another.

One leader runs a solver's loop; workers wait for work.  The leader posts a number of pieces, and
leader and workers take them one by one until none is left.  Nobody waits for a particular worker:
one that was never started, or whose core is busy elsewhere, only takes fewer pieces.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from batchprop.compiler.jit import helper, kernel
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.task import (
    CONTINUES,
    DONE,
    FIRST,
    LEFT,
    N_ROWS,
    REDUCE,
    STOP,
    WORK,
    reduce_slice,
    sum_chunk,
)
from batchprop.threads.atomics import atomic_add, atomic_load, atomic_store, relax
from batchprop.threads.cancellation import check, is_cancelled

# multiply-adds that take as long as one turn of waiting for the others, at first and later
SHORT_WAIT, LONG_WAIT, SHORT_WAITS = 512, 1 << 20, 2000


@helper
def take_work(task, scratch):
    """Take and do the posted pieces until none is left."""
    while atomic_load(task.control, LEFT) > 0:
        piece = atomic_add(task.control, LEFT, -1) - 1
        if piece < 0:
            return
        work = atomic_load(task.control, WORK)
        if is_cancelled(scratch.token):
            pass  # the piece is taken, but not done
        elif work == REDUCE:
            n_rows, continues = task.control[N_ROWS], task.control[CONTINUES] != 0
            first_row = task.control[FIRST]
            reduce_slice(task, piece, first_row, n_rows, continues, scratch.token)
        else:
            chunk = atomic_load(task.control, FIRST) + piece
            sum_chunk(task, chunk, scratch, task.sums[piece], work)
        atomic_add(task.control, DONE, 1)


@helper
def share(task, work, first, n_pieces):
    """Post work, take part in it, and return when all of it is done.

    The pieces are chunks from ``first`` on, or slices of columns, of rows from ``first`` on, if
    ``work`` is REDUCE.
    """
    atomic_store(task.control, DONE, 0)
    atomic_store(task.control, WORK, work)
    atomic_store(task.control, FIRST, first)
    atomic_store(task.control, LEFT, n_pieces)
    take_work(task, task.scratch)
    waited = 0
    while atomic_load(task.control, DONE) < n_pieces:
        relax(waited)
        waited += 1
        check(task.scratch.token, SHORT_WAIT if waited < SHORT_WAITS else LONG_WAIT)


@kernel
def serve(task, scratch):
    """Run a worker: wait for work and take it, until told to stop."""
    waited = 0
    while atomic_load(task.control, STOP) == 0:
        if atomic_load(task.control, LEFT) > 0:
            take_work(task, scratch)
            waited = 0
        else:
            relax(waited)
            waited += 1


class Team:
    """The threads that serve one task.

    Threads are started for one call and end with it: none outlives it, none is inherited by a
    forked process, and no other library's thread settings are touched.
    """

    def __init__(self, task: KernelStruct, scratches: Sequence[KernelStruct]) -> None:
        self._task, self._scratches = task, scratches  # the workers'
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the workers, or as many of them as the system can start threads."""
        try:
            for member, scratch in enumerate(self._scratches, start=1):
                thread = threading.Thread(
                    target=serve,
                    args=(self._task, scratch),
                    name=f"batchprop-{member}",
                    daemon=True,
                )
                thread.start()
                self._threads.append(thread)
        except RuntimeError:  # the workers that did start take all the work
            pass
        except BaseException:  # Ctrl-C: no thread may be left waiting for work
            self.stop()
            raise

    def stop(self) -> None:
        """End the workers; a second call does nothing."""
        self._task.control[STOP] = 1
        while self._threads:
            self._threads.pop().join()
