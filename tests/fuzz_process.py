"""Loads changed files and goes on from those that load, in a process that may die of it.

``python -m tests.fuzz_process SEED COUNT`` prints one line of JSON: how often it ended in which
way, and the faults.  What takes longer than it should ends the process, with a traceback.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import replace

import numpy as np

from batchprop import Checkpoint, Network, train
from batchprop.files import pytree
from batchprop.solvers.settings import RESUMABLE
from tests.crafted import changed_values, is_steering, mutants, one_of, taken_apart
from tests.problems import problem

CASE = problem(e=2, m=3, s=1, n_samples=12)
HELD_OUT = {"X_val": CASE.X[:, :5], "T_val": CASE.T[:, :5]}
try:
    import resource
except ImportError:  # Windows
    resource = None

SECONDS = 30  # for one file; the process ends after that
MOST = 60 << 20  # bytes of memory that the largest file may take
LIMIT = 4 << 30  # at which the system refuses more, for the sake of the machine


def stopping(progress):
    return progress.epoch == 4


# How the runs are made whose files are changed: ended in different ways, in different forms.
FORMS = [
    {},
    {"callback": stopping, "dtype": "float32", "network": CASE.network},
    {"callback": stopping, "engine": "vectorized", "scale": False} | HELD_OUT,
]


def made(solver):
    for form in FORMS:
        options = form if "network" in form else {"hidden_size": 3} | form
        yield (
            form,
            train(
                CASE.X, CASE.T, solver=solver, max_epochs=6, n_threads=1, **{"alpha": 0.0} | options
            ),
        )


def goes_on(checkpoint, form):
    """Resume; warnings are those of a run, which may leave the finite numbers."""
    held_out = {name: form[name] for name in HELD_OUT if name in form}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        train(CASE.X, CASE.T, resume=checkpoint, max_epochs=2, n_threads=1, **held_out)


class Judge:
    """Counts how attempts end."""

    def __init__(self):
        self.ended = Counter()
        self.faults = []
        self.memory = peak_memory()

    def look(self, what, load, go_on):
        print(what, file=sys.stderr, flush=True)  # the last line names what the process died of
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                loaded = load()
            self.ended["loaded"] += 1
            go_on(loaded)
            self.ended["went on"] += 1
        except (ValueError, OSError) as error:
            self.ended["refused"] += 1
            if len(str(error)) > 600:
                self.faults.append(f"{what}: {len(str(error))} letters")
        except BaseException as error:
            self.faults.append(f"{what}: {type(error).__name__}: {error}"[:300])
        finally:
            faulthandler.cancel_dump_traceback_later()
        if peak_memory() > self.memory + MOST:
            self.faults.append(f"{what}: {(peak_memory() - self.memory) >> 20} MiB of memory")
            self.memory = peak_memory()


def limit_memory():
    """Let the process take so much memory and no more, where the system can see to it."""
    if resource is not None:
        with contextlib.suppress(OSError), open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + LIMIT, used + LIMIT))


def peak_memory():
    """Return the most memory so far in bytes; 0 where the system does not tell."""
    if resource is None:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main(seed, count):
    faulthandler.enable()
    path = os.path.join(tempfile.mkdtemp(), "crafted.npz")
    networks, runs = [], []
    for dtype in ("float32", "float64"):
        network = CASE.network.astype(dtype)
        network.save(path)
        networks.append(taken_apart(read(path)))
    for solver in RESUMABLE:
        for form, result in made(solver):
            result.checkpoint.save(path)
            goes_on(path, form)
            runs.append((solver, form, result.checkpoint, taken_apart(read(path))))
    limit_memory()
    judge = Judge()
    n_networks, n_objects = count // 6, count // 6

    def written(content, load):
        with open(path, "wb") as file:
            file.write(content)
        return load(path)

    for k, network in enumerate(networks):
        for what, content in mutants(network, seed + k, n_networks // len(networks)):
            judge.look(f"network {k} {what}", lambda c=content: written(c, Network.load), len_of)
    share = (count - n_networks - n_objects) // len(runs)
    for k, (solver, form, _, file) in enumerate(runs):
        for what, content in mutants(file, seed + 100 + k, share):
            judge.look(
                f"{solver} {k} {what}", lambda c=content: written(c, Checkpoint.load),
                lambda checkpoint, form=form: goes_on(checkpoint, form),
            )  # fmt: skip
    rng = np.random.default_rng(seed)
    for k in range(n_objects):
        solver, form, checkpoint, _ = runs[k % len(runs)]
        judge.look(
            f"{solver} object {k}", lambda c=checkpoint: changed(c, rng),
            lambda checkpoint, form=form: goes_on(checkpoint, form),
        )  # fmt: skip
    print(json.dumps({"ended": judge.ended, "faults": judge.faults}))


def len_of(network):
    return len(network.theta)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def changed(checkpoint, rng):
    """Return a checkpoint as a user could make it, with one array of its state changed."""
    arrays = pytree.flatten(checkpoint.state, "state")
    steering = [name for name, array in arrays.items() if is_steering(name, array)]
    name = one_of(steering if steering and rng.random() < 0.5 else arrays, rng)
    arrays[name] = changed_values(arrays[name], rng)
    state = pytree.restored(checkpoint.state, "state", lambda name, *form: arrays[name])
    return replace(checkpoint, state=state)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
