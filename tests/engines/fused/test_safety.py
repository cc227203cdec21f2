"""Trainings anywhere: threads, forks, pools, servers, beside other parallel code.

Each program runs in a process of its own, with warnings as errors and a time limit.
"""

from __future__ import annotations

import pytest

from tests.engines.fused.processes import run
from tests.engines.fused.workload import work
from tests.platforms import needs_fork

PREAMBLE = """
import os, sys, threading
from tests.engines.fused.workload import work
def say(words):  # at once, so that processes do not speak into each other's lines
    os.write(1, (words + "\\n").encode())
"""

PROGRAMS = {
    "threads, the same data": """
results = [None] * 6
def do(k):
    results[k] = work()
threads = [threading.Thread(target=do, args=(k,)) for k in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*results)
""",
    "threads, from the first use on": """
from concurrent.futures import ThreadPoolExecutor
barrier = threading.Barrier(6)
def do(k):
    barrier.wait()
    return work()
with ThreadPoolExecutor(6) as pool:
    print(*pool.map(do, range(6)))
""",
    "a fork before the first use": """
child = os.fork()
say(work())
if child:
    assert os.waitpid(child, 0)[1] == 0
os._exit(0)
""",
    "a fork after a training": """
say(work())
child = os.fork()  # no thread is left, or Python would warn
say(work())
if child:
    assert os.waitpid(child, 0)[1] == 0
os._exit(0)
""",
    "a child of a child": """
say(work())
if os.fork() == 0:
    if os.fork() == 0:
        say(work())
        os._exit(0)
    assert os.wait()[1] == 0
    say(work())
    os._exit(0)
assert os.wait()[1] == 0
""",
    "a pool of forks": """
import multiprocessing
print(work())
with multiprocessing.get_context("fork").Pool(3) as pool:
    print(*pool.map(work, [0] * 6))
""",
    "spawned processes": """
import multiprocessing
print(work())
with multiprocessing.get_context("spawn").Pool(2) as pool:
    print(*pool.map(work, [0] * 2))
""",
    "a process pool": """
from concurrent.futures import ProcessPoolExecutor
print(work())
with ProcessPoolExecutor(2) as pool:
    print(*pool.map(work, [0] * 4))
""",
    "joblib's processes": """
from joblib import Parallel, delayed
print(work())
print(*Parallel(n_jobs=2, backend="loky")(delayed(work)() for _ in range(4)))
""",
    "joblib's threads": """
from joblib import Parallel, delayed
print(*Parallel(n_jobs=3, backend="threading")(delayed(work)() for _ in range(6)))
""",
    "beside a user's parallel kernel": """
import numba, numpy as np
@numba.njit(parallel=True)
def total(x):
    found = 0.0
    for i in numba.prange(x.size):
        found += x[i]
    return found
x = np.arange(100_000.0)
numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
before = numba.get_num_threads()
total(x)
stop = threading.Event()
def user():
    while not stop.is_set():
        assert total(x) == 4_999_950_000
thread = threading.Thread(target=user)
thread.start()
results = [work() for _ in range(4)]
stop.set()
thread.join()
assert total(x) == 4_999_950_000
assert numba.get_num_threads() == before
print(*results)
""",
    "in the threads of a user's parallel kernel": """
import numba, numpy as np
digests = [None] * 4
def do(k):
    digests[k] = work()
@numba.njit(parallel=True)
def user(out):
    for i in numba.prange(out.size):
        with numba.objmode():
            do(i)
        out[i] = i
out = np.zeros(4)
user(out)
assert out.sum() == 6
print(*digests)
""",
    "a web server's threads": """
import http.server, urllib.request
from concurrent.futures import ThreadPoolExecutor
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = work().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
thread = threading.Thread(target=server.serve_forever)
thread.start()
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def ask(k):
    with opener.open(f"http://127.0.0.1:{server.server_port}/", timeout=60) as answer:
        return answer.read().decode()
with ThreadPoolExecutor(8) as pool:
    print(*pool.map(ask, range(16)))
server.shutdown()
thread.join()
server.server_close()
""",
}


@pytest.fixture(scope="module")
def expected():
    """What the work comes to, on one thread; kernels are on disk afterwards."""
    return work(n_threads=1)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(name, marks=needs_fork if "fork" in text else ())
        for name, text in PROGRAMS.items()
    ],
)
def test_where_it_is_done_changes_nothing(program, expected):
    found = run(PREAMBLE + PROGRAMS[program]).split()
    assert len(found) >= 2
    assert set(found) == {expected}


DIFFERENT_DATA = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    print(*pool.map(work, range(8)))
print(*map(work, range(8)))
"""


def test_threads_with_different_data_do_not_mix():
    at_once, one_by_one = run(PREAMBLE + DIFFERENT_DATA).splitlines()
    assert at_once == one_by_one
    assert len(set(at_once.split())) == 8


FORK_DURING_A_TRAINING = """
import warnings
import batchprop
from tests.problems import problem
warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of forking while threads run
data = problem(8, 20, 1, 6000, "tanh", "float32")
work()
children = []
def fork(progress):
    if progress.epoch == 5 and {where} is True:
        children.append(os.fork())
def train():
    return batchprop.train(data.X, data.T, hidden_size=20, max_epochs=20, tol=None, alpha=0.0,
                           n_threads=4, callback=fork).network.theta.tobytes()
"""
IN_THE_CALLBACK = """
found = train()
child = children[0] == 0
assert found == batchprop.train(data.X, data.T, hidden_size=20, max_epochs=20, tol=None, alpha=0.0,
                                n_threads=1).network.theta.tobytes()
if not child:
    assert os.waitpid(children[0], 0)[1] == 0
say("as expected")
os._exit(0)
"""
IN_ANOTHER_THREAD = """
expected = train()
done, go = [], threading.Event()
def busy():
    while not done:
        go.set()
        assert train() == expected
thread = threading.Thread(target=busy)
thread.start()
for _ in range(20):
    go.clear()
    go.wait(10)
    child = os.fork()
    if child == 0:
        assert train() == expected
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
done.append(True)
thread.join()
print("as expected")
"""


@needs_fork
def test_a_fork_in_the_middle_of_a_training_leaves_two_that_go_on():
    program = PREAMBLE + FORK_DURING_A_TRAINING.format(where="True") + IN_THE_CALLBACK
    assert run(program).split() == ["as", "expected"] * 2


@needs_fork
def test_a_fork_while_another_thread_trains():
    program = PREAMBLE + FORK_DURING_A_TRAINING.format(where="False") + IN_ANOTHER_THREAD
    assert run(program).split() == ["as", "expected"]


FORK_DURING_A_COMPILATION = """
import time, warnings
import numba, numpy as np
from numba.core.compiler_lock import global_compiler_lock
warnings.simplefilter("ignore", DeprecationWarning)
expected = work()
started = threading.Event()
def compile_something():
    with global_compiler_lock:
        started.set()
        time.sleep(0.5)
thread = threading.Thread(target=compile_something)
thread.start()
started.wait()
child = os.fork()
assert numba.njit(lambda x: x + 1)(1) == 2
assert work() == expected
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
thread.join()
print("as expected")
"""


@needs_fork
def test_a_fork_while_another_thread_compiles():
    assert run(PREAMBLE + FORK_DURING_A_COMPILATION).split() == ["as", "expected"]


LEFT_OPEN = """
import time
import numpy as np
import batchprop
from tests.engines.fused.teams import objective_of
from tests.problems import problem
data = problem(8, 50, 1, 100_000, "tanh", "float32")
left_open = objective_of(data, 4)
assert left_open.task.n_workers == 3
gradient = np.empty_like(data.network.theta)
left_open.loss_and_gradient(data.network.theta, gradient)
def busy():
    while True:
        left_open.loss_and_gradient(data.network.theta, gradient)
if sys.argv[1] == "evaluating":
    threading.Thread(target=busy, daemon=True).start()
    time.sleep(0.05)
if sys.argv[1] == "training":
    begun = threading.Event()
    def train():  # by a solver that does not end by itself
        batchprop.train(
            data.X, data.T, hidden_size=50, solver="adam", max_epochs=10**7, tol=None, n_threads=4,
            callback=lambda progress: begun.set(), callback_every=100,
        )
    threading.Thread(target=train, daemon=True).start()
    assert begun.wait(60)
"""


@pytest.mark.parametrize("state", ["waiting", "evaluating", "training"])
def test_the_interpreter_ends_while_threads_are_there(state, expected):
    for _ in range(3):
        assert run(PREAMBLE + LEFT_OPEN, state) == ""
