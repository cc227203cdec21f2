"""C headers: they compile without a warning, compute what Python computes, and keep their names."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest

from batchprop import Network
from batchprop.activations import ACTIVATIONS
from batchprop.export.c_activations import ACTIVATIONS as C_ACTIVATIONS
from batchprop.export.c_activations import in_float
from tests.export.networks import bounds, cases

STRICT = [
    "-O1",
    "-pedantic",
    "-Werror",
    *(f"-W{name}" for name in ("all", "extra", "conversion", "shadow", "undef")),
]
LANGUAGES = {
    "C99": (["gcc", "clang"], ["-std=c99", "-Wstrict-prototypes"], "c"),
    "C++11": (["g++", "clang++"], ["-std=c++11"], "cpp"),
}
COMPILERS = [
    pytest.param(
        compiler, flags, suffix, id=f"{compiler} {language}",
        marks=pytest.mark.skipif(not shutil.which(compiler), reason=f"{compiler} is not installed"),
    )
    for language, (compilers, flags, suffix) in LANGUAGES.items()
    for compiler in compilers
]  # fmt: skip


def program(networks, dtype, n_samples):
    """Return a main file that reads samples and prints outputs and derivatives of each network."""
    real = "float" if dtype == "float32" else "double"
    lines = ["#include <stdio.h>", *(f'#include "{name}.h"' for name in networks)]
    lines += ["int main(void)", "{", "    int i, r;", "    double number;"]
    for name, net in networks.items():
        e, _, s = net.shape
        lines += [
            f"    for (i = 0; i < {n_samples}; ++i) {{",
            f"        {real} x[{name}_n_inputs], y[{s}], again[{s}], dydx[{s * e}];",
            f"        for (r = 0; r < {e}; ++r) {{",
            '            if (scanf("%lf", &number) != 1) return 1;',
            f"            x[r] = ({real})number;",
            "        }",
            f"        {name}_predict(x, y);",
            f"        {name}_jacobian(x, again, dydx);",
        ]
        for array, size in (("y", s), ("again", s), ("dydx", s * e)):
            lines.append(
                f'        for (r = 0; r < {size}; ++r) printf("%.17g\\n", (double){array}[r]);'
            )
        lines.append("    }")
    return "\n".join([*lines, "    return 0;", "}", ""])


def run(folder, compiler, flags, suffix, text, numbers):
    main = folder / f"main.{suffix}"
    main.write_text(text, "ascii")
    command = [compiler, *flags, *STRICT, main.name, "-o", "main", "-lm"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    given = "\n".join(f"{number:.17g}" for number in numbers)
    return subprocess.run(
        [folder / "main"], input=given, capture_output=True, text=True, check=True
    ).stdout.split()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("compiler", "flags", "suffix"), COMPILERS)
def test_a_program_computes_what_python_computes(compiler, flags, suffix, dtype, tmp_path):
    networks, tables = {}, {}
    for case in cases(dtype):
        networks[case.name], tables[case.name] = case.network, case.X
        case.network.to_c(tmp_path / f"{case.name}.h")
    n_samples = next(iter(tables.values())).shape[1]
    numbers = np.concatenate([X.T.ravel() for X in tables.values()])
    text = program(networks, dtype, n_samples)
    printed = np.array(run(tmp_path, compiler, flags, suffix, text, numbers), float)
    for name, net in networks.items():
        e, _, s = net.shape
        part, printed = np.split(printed, [n_samples * s * (2 + e)])
        Y, again, dY_dX = np.split(part.reshape(n_samples, -1).T, [s, 2 * s])
        np.testing.assert_array_equal(Y, again)
        exact, X = net.astype("float64"), tables[name].astype("float64")
        of_Y, of_dY_dX = bounds(net, X)
        assert (np.abs(Y - exact.predict(X, engine="naive")) <= of_Y).all(), name
        expected = exact.jacobian(X, engine="naive")
        assert (np.abs(dY_dX.reshape(expected.shape) - expected) <= of_dY_dX).all(), name
    assert printed.size == 0


def test_headers_hold_no_state_and_allocate_nothing(tmp_path):
    for case in cases("float64"):
        case.network.to_c(tmp_path / "net.h")
        text = (tmp_path / "net.h").read_text("ascii")
        code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        assert re.findall(r"\bstatic (\w+)", code) == ["const"] * 4 + ["inline"] * 4
        assert re.findall(r"#include (\S+)", code) == ["<math.h>"]
        assert not re.search(r"alloc|\bstatic (?!const|inline)", code)
        assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_literals_are_the_parameters(dtype, tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=40) * 10.0 ** rng.integers(-30, 30, 40)
    special = [0.0, -0.0, 1.0, -3.0, 1e9, 1e22, 1e-40, 123456.0]
    theta = np.concatenate([values, special, [0.5]]).astype(dtype)
    net = Network.from_theta(theta, (4, 8, 1))
    net.to_c(tmp_path / "net.h")
    text = (tmp_path / "net.h").read_text("ascii")
    tables = re.findall(r"static const \w+ net_[^=]*= ([^;]*);", text)
    numbers = re.findall(r"[^\s,{}]+", " ".join(tables))
    assert all("." in number or "e" in number for number in numbers)
    assert all(number.endswith("f") == (dtype == "float32") for number in numbers)
    read = np.array([number.rstrip("f") for number in numbers], float).astype(dtype)
    assert read.tobytes() == net.theta.tobytes()


def test_the_jacobian_can_be_left_out(tmp_path):
    net = Network.initialize(2, 3, 1)
    net.to_c(tmp_path / "net.h", jacobian=False)
    text = (tmp_path / "net.h").read_text("ascii")
    assert "net_predict(" in text
    assert "jacobian" not in text
    assert "dydx" not in text
    assert "sigma_prime" not in text


def test_another_dtype_than_the_networks(tmp_path):
    net = Network.initialize(2, 3, 1)
    for given, dtype in ((net, "float32"), (net.astype("float32"), "float64")):
        given.to_c(tmp_path / "one.h", name="net", dtype=dtype)
        given.astype(dtype).to_c(tmp_path / "net.h")
        text = (tmp_path / "net.h").read_text("ascii")
        assert (tmp_path / "one.h").read_text("ascii") == text.replace('"net.h"', '"one.h"')


def test_the_comment_says_what_the_network_is(tmp_path):
    Network.initialize(4, 1, 2, "relu").to_c(tmp_path / "pump.h")
    comment = (tmp_path / "pump.h").read_text("ascii").split("*/")[0]
    for text in ("4 inputs, 1 hidden unit, 2 outputs", "relu", "double", "pump_predict(x, y);"):
        assert text in comment


def test_a_file_name_cannot_end_the_comment(tmp_path):
    path = tmp_path / "a, b (c) é.h"
    Network.initialize(1, 1, 1).to_c(path, name="net")
    assert '#include "net.h"' in path.read_text("ascii")


@pytest.mark.parametrize("name", ["net", "Net2", "a_b_c", "x" * 48])
def test_names_that_are_allowed(name, tmp_path):
    path = tmp_path / f"{name}.h"
    Network.initialize(1, 1, 1).to_c(path)
    assert f"static inline void {name}_predict" in path.read_text("ascii")


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("my-net", "my_net"), ("2fast", "net_2fast"), ("_net", "net"), ("net_", "net"),
        ("a__b", "a_b"), ("double", "net_double"), ("class", "net_class"), ("xor", "net_xor"),
        ("x" * 49, "x" * 40), ("é", "net"), ("", "net"), ("a b", "a_b"), ("a;", "a"),
    ],
)  # fmt: skip
def test_names_that_are_refused(name, similar, tmp_path):
    net, path = Network.initialize(1, 1, 1), tmp_path / "net.h"
    with pytest.raises(ValueError, match=f"^name must be an identifier .* name='{similar}'.$"):
        net.to_c(path, name=name)
    if name not in ("", "a;"):
        with pytest.raises(ValueError, match=f"the name of the file. .*name='{similar}'.$"):
            net.to_c(tmp_path / f"{name}.h")
    assert not path.exists()


def test_what_cannot_be_written_is_refused(tmp_path):
    net, path = Network.initialize(1, 1, 1), tmp_path / "net.h"
    with pytest.raises(TypeError, match="^name must be an identifier"):
        net.to_c(path, name=3)
    with pytest.raises(ValueError, match="^path must be in a folder that exists"):
        net.to_c(tmp_path / "no" / "net.h")
    with pytest.raises(ValueError, match="^dtype must be float32 or float64"):
        net.to_c(path, dtype="float16")
    with pytest.raises(TypeError, match="^jacobian must be True or False"):
        net.to_c(path, jacobian="no")
    net.W_y[0, 0] = 1e300
    with pytest.raises(ValueError, match="^W_y must stay within .* Pass dtype='float64'"):
        net.to_c(path, dtype="float32")
    net.b_h[0] = np.nan
    with pytest.raises(ValueError, match=r"^b_h must be finite; got nan at b_h\[0\]"):
        net.to_c(path)
    assert not path.exists()


def test_every_activation_has_a_form_in_c():
    assert list(C_ACTIVATIONS) == list(ACTIVATIONS)
    for bodies in C_ACTIVATIONS.values():
        for body in bodies:
            single = in_float(body)
            assert "double" not in single
            assert not re.search(r"\d\.\d(?!f)|\b(exp|expm1|fabs|log1p|tanh)\(", single)
