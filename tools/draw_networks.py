"""Draw the 1-4-1 network of the derivation, with the part marked that a formula speaks of.

    python tools/draw_networks.py                writes docs/images/derivation-*.png
    python tools/draw_networks.py --output DIR   writes them elsewhere

The pictures contain symbols only, so that the pages of all languages share them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.patches import Circle, FancyBboxPatch

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
LINE, PALE, MARK = "#444444", "#C4C4C4", "#D55E00"
FACTORS = ("#0072B2", "#D55E00", "#009E73", "#8C4A97")  # of a product, from left to right
UNITS = (4.15, 3.05, 1.95, 0.85)  # heights of the hidden units
INPUT, OUTPUT, LOSS = (0.5, 2.5), (8.0, 2.5), (10.0, 2.5)
LEFT, RIGHT = 3.3, 5.1  # centres of z[k] and h[k]
# The middle of each part, how far below it the arrow of a formula's term ends, and the height at
# which these arrows turn.
PLACES = {
    "x": INPUT, "z3": (LEFT, 0.85), "h3": (RIGHT, 0.85), "sigma3": (4.2, 0.85), "y": OUTPUT,
    "L": LOSS, "W_h3": (1.75, 1.76), "W_y3": (6.72, 1.72),
}  # fmt: skip
REACH = {"x": 0.47, "y": 0.47, "h3": 0.45, "sigma3": 0.08, "L": 0.3, "W_h3": 0.22, "W_y3": 0.22}
BEND = -0.25
Term = tuple[str, str | None]


@dataclass
class Picture:
    """A drawing: the colours of marked parts, and a formula below whose terms belong to parts."""

    name: str
    marks: dict[str, str] = field(default_factory=dict)
    formula: tuple[Term, ...] = ()  # text and the part it belongs to


def derivative(weight: str, *terms: Term) -> tuple[Term, ...]:
    """Return the terms of ∂L/∂weight = (1/N) Σ_i ..., the first two of which point nowhere."""
    return (
        (rf"$\dfrac{{\partial L}}{{\partial {weight}}}\;=\;\dfrac{{1}}{{N}}\,\sum_i$", None),
        *terms,
    )


ERROR = r"$2\,(y_i-t_i)$"
OUTPUT_TERMS = ((ERROR, "y"), ("$h_i[3]$", "h3"))
HIDDEN_TERMS = (
    (ERROR, "y"), ("$W_y[0,3]$", "W_y3"), (r"$\sigma'(z_i[3])$", "sigma3"), ("$x_i$", "x"),
)  # fmt: skip
CHAIN = (
    (r"$\dfrac{\partial L}{\partial y_i}$", "L"),
    (r"$\dfrac{\partial y_i}{\partial h_i[3]}$", "W_y3"),
    (r"$\dfrac{\partial h_i[3]}{\partial z_i[3]}$", "sigma3"),
    (r"$\dfrac{\partial z_i[3]}{\partial W_h[3,0]}$", "W_h3"),
)


def only(part: str, terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return the terms with one of them pointing at its part."""
    return tuple((text, place if place == part else None) for text, place in terms)


PICTURES = (
    Picture("derivation-network"),
    Picture("derivation-output-weight", {"W_y3": MARK}),
    Picture("derivation-output-error", {"y": MARK},
            derivative("W_y[0,3]", *only("y", OUTPUT_TERMS))),
    Picture("derivation-output-lever", {"h3": MARK},
            derivative("W_y[0,3]", *only("h3", OUTPUT_TERMS))),
    Picture("derivation-hidden-weight", {"W_h3": MARK}),
    Picture("derivation-hidden-output-weight", {"W_y3": MARK},
            derivative("W_h[3,0]", *only("W_y3", HIDDEN_TERMS))),
    Picture("derivation-hidden-slope", {"sigma3": MARK},
            derivative("W_h[3,0]", *only("sigma3", HIDDEN_TERMS))),
    Picture("derivation-hidden-input", {"x": MARK},
            derivative("W_h[3,0]", *only("x", HIDDEN_TERMS))),
    Picture("derivation-chain", dict(zip(("L", "W_y3", "sigma3", "W_h3"), FACTORS, strict=True)),
            ((r"$\dfrac{\partial L}{\partial W_h[3,0]}\;=\;\sum_i$", None), *CHAIN)),
)  # fmt: skip


class Drawing:
    """One picture on its axes."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        bottom = -1.75 if picture.formula else 0.2
        self.figure = plt.figure(figsize=(7.0, 7.0 * (5.0 - bottom) / 10.8))
        self.axes: Any = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(-0.1, 10.7), ylim=(bottom, 5.0))
        self.axes.axis("off")

    def colour(self, part: str) -> str:
        """Return the colour of a part's lines: pale if other parts are marked."""
        return self.picture.marks.get(part, PALE if self.picture.marks else LINE)

    def ink(self, part: str) -> str:
        """Return the colour of a part's text, which stays readable."""
        return self.picture.marks.get(part, "#777777" if self.picture.marks else "black")

    def text(self, where: tuple[float, float], words: str, part: str, size: float = 10.5) -> None:
        """Write the name of a part on a white ground."""
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        self.axes.text(*where, words, color=self.ink(part), fontsize=size, ha="center",
                       va="center", zorder=5, bbox=ground)  # fmt: skip

    def arrow(self, start: tuple[float, float], end: tuple[float, float], part: str) -> None:
        """Draw a straight arrow; a marked one is thicker."""
        style = {
            "arrowstyle": "-|>",
            "color": self.colour(part),
            "linewidth": 2.6 if part in self.picture.marks else 1.1,
            "shrinkA": 0,
            "shrinkB": 0,
        }
        self.axes.annotate("", end, start, arrowprops=style, zorder=3)

    def node(self, where: tuple[float, float], words: str, part: str, radius: float = 0.42) -> None:
        """Draw a circle with a name in it; a marked one is filled."""
        marked = part in self.picture.marks
        self.axes.add_patch(
            Circle(where, radius, facecolor=self.colour(part) if marked else "white",
                   edgecolor=self.colour(part), linewidth=1.5, zorder=4)
        )  # fmt: skip
        colour = "white" if marked else self.ink(part)
        self.axes.text(*where, words, ha="center", va="center", fontsize=12, color=colour, zorder=6)

    def unit(self, k: int) -> None:
        """Draw hidden unit k: z[k], an arrow σ, h[k], all in one box."""
        height = UNITS[k]
        box = FancyBboxPatch((LEFT - 0.62, height - 0.42), RIGHT - LEFT + 1.24, 0.84,
                             boxstyle="round,pad=0,rounding_size=0.42", facecolor="#F6F6F6",
                             edgecolor=PALE, linewidth=1.0, zorder=2)  # fmt: skip
        self.axes.add_patch(box)
        self.axes.text(LEFT - 0.05, height + 0.53, f"$+b_h[{k}]$", fontsize=8.5, ha="center",
                       va="center", color=self.ink(f"b_h{k}"))  # fmt: skip
        self.node((LEFT, height), f"$z[{k}]$", f"z{k}", 0.4)
        self.node((RIGHT, height), f"$h[{k}]$", f"h{k}", 0.4)
        self.arrow((LEFT + 0.4, height), (RIGHT - 0.4, height), f"sigma{k}")
        self.axes.text((LEFT + RIGHT) / 2 - 0.06, height + 0.2, r"$\sigma$", ha="center",
                       va="center", fontsize=11, color=self.ink(f"sigma{k}"), zorder=5)  # fmt: skip

    def network(self) -> None:
        """Draw all parts from left to right."""
        for k, height in enumerate(UNITS):
            self.arrow((0.85, 2.5 + 0.1 * (height - 2.5)), (LEFT - 0.42, height), f"W_h{k}")
            self.arrow((RIGHT + 0.4, height), (OUTPUT[0] - 0.42, 2.5 + 0.1 * (height - 2.5)),
                       f"W_y{k}")  # fmt: skip
            self.text((1.75, 2.5 + (height - 2.5) * 0.45), f"$W_h[{k},0]$", f"W_h{k}")
            self.text((6.72, 2.5 + (height - 2.5) * 0.47), f"$W_y[0,{k}]$", f"W_y{k}")
            self.unit(k)
        self.node(INPUT, "$x$", "x")
        self.node(OUTPUT, "$y$", "y")
        self.axes.text(OUTPUT[0], 3.12, "$+b_y[0]$", fontsize=8.5, ha="center",
                       color=self.ink("b_y"))  # fmt: skip
        self.arrow((8.42, 2.5), (9.55, 2.5), "L")
        self.text((10.1, 2.5), "$(y-t)^2$", "L", 12)
        self.axes.text(
            10.1, 3.75, "$t$", fontsize=12, ha="center", va="center", color=self.ink("t")
        )
        self.arrow((10.1, 3.5), (10.1, 2.8), "t")

    def formula(self) -> None:
        """Write the formula below the network, term after term, and point at what is marked."""
        renderer = self.figure.canvas.get_renderer()  # type: ignore[attr-defined]
        inverse = self.axes.transData.inverted()
        position = 2.0
        for words, part in self.picture.formula:
            colour = self.picture.marks[part] if part else "black"
            term = self.axes.text(position, -1.05, words, fontsize=15, va="center", color=colour)
            extent = term.get_window_extent(renderer).transformed(inverse)
            if part and len(self.picture.marks) == 1:  # several would cross: their colours do
                self.point((extent.x0 + extent.width / 2, extent.y1 + 0.08), part, colour)
            position = extent.x1 + 0.16

    def point(self, start: tuple[float, float], part: str, colour: str) -> None:
        """Lead a dashed arrow from a term of the formula to its part: up, sideways, up."""
        right, height = PLACES[part]
        goal = (right, height - REACH[part])
        line = {"color": colour, "linewidth": 1.3, "linestyle": (0, (4, 2)), "zorder": 7}
        self.axes.plot([start[0], start[0], right], [start[1], BEND, BEND], **line)
        style = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "linewidth": 1.3,
                 "linestyle": (0, (4, 2)), "color": colour}  # fmt: skip
        self.axes.annotate("", goal, (right, BEND), arrowprops=style, zorder=7)

    def save(self, folder: Path) -> Path:
        """Write the picture as a PNG."""
        self.network()
        if self.picture.formula:
            self.formula()
        path = folder / f"{self.picture.name}.png"
        self.figure.savefig(path, dpi=120, facecolor="white", pil_kwargs={"optimize": True})
        plt.close(self.figure)
        return path


def main() -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=FOLDER, help="where to write them")
    folder = parser.parse_args().output
    with plt.rc_context({"mathtext.fontset": "cm", "font.family": "serif"}):
        for picture in PICTURES:
            path = Drawing(picture).save(folder)
            print(f"{path.name:35} {path.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
