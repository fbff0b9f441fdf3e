"""Regenerate ``volskew/pricing/coefficients.py``: the constants of the Black kernels, with their errors.

    python tests/reference/make_black_coefficients.py          prints the module and writes the errors to
    stderr python tests/reference/make_black_coefficients.py --write  writes the module

mpmath (45 digits) does the minimax fits of functions; numpy does the fit of the seed, which needs three
digits only. What each table stands for is in the docstring of `volskew.pricing.black_kernels`.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import mpmath as mp
import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx

TARGET = Path(__file__).parents[2] / "volskew" / "pricing" / "coefficients.py"

DIGITS = 45
mp.mp.dps = DIGITS

CENTRE = 6
"""v = 1/(CENTRE - z): moves the pole that matters out of the way; 6 needs the lowest degree at z <= 1.5."""
SCALE = 9
"""u = SCALE v - 1 lies in [-1, 1] for every z <= 1.5."""
TOP = mp.mpf("1.5")
FAR = 40
"""Relative accuracy is asked for down to z = -FAR; beyond, the tolerance grows as (z/FAR)^2."""
MILLS_DEGREE = 27
LOG_DEGREE = 7
EXP_DEGREE = 9
TAIL_CENTRE = 5
"""For R(z) on z <= 0 alone, in powers of v: 5 needs the lowest degree at 1e-15."""
TAIL_DEGREE = 20

S_MAX = 2.9
H_MAX = 38.0
SHIFT = 4.0
RATIO_DEGREE = 6
SEED_DEGREES = (6, 8)
ROUGH_LOG_DEGREE = 4

Function = Callable[[mp.mpf], mp.mpf]


def minimax(
    function: Function, weight: Function, low: mp.mpf, high: mp.mpf, degree: int, *, skip: int = 0
) -> tuple[list[mp.mpf], mp.mpf]:
    """Remez exchange on a fine grid of Chebyshev nodes; monomial coefficients and the levelled error.

    `skip` leaves out the first nodes, where a weight that is zero at `low` says nothing.
    """
    n_nodes, size = 500, degree + 2
    nodes = [-mp.cos(mp.pi * k / n_nodes) for k in range(n_nodes + 1)]
    points = [low + (x + 1) / 2 * (high - low) for x in nodes]
    values = [function(point) for point in points]
    weights = [weight(point) for point in points]
    basis = [[mp.mpf(1)] * len(nodes), list(nodes)]
    for _ in range(degree - 1):
        basis.append([2 * x * a - b for x, a, b in zip(nodes, basis[-1], basis[-2], strict=True)])
    span = n_nodes - skip
    reference = sorted(
        {skip + round(span * (1 - math.cos(math.pi * k / (size - 1))) / 2) for k in range(size)}
    )
    coefficients: list[mp.mpf] = []
    largest = mp.mpf(0)
    for _ in range(40):
        matrix, right = mp.matrix(size, size), mp.matrix(size, 1)
        for row, node in enumerate(reference):
            for column in range(degree + 1):
                matrix[row, column] = basis[column][node]
            matrix[row, degree + 1] = (-1) ** row / weights[node]
            right[row] = values[node]
        solution = mp.lu_solve(matrix, right)
        coefficients = [solution[column] for column in range(degree + 1)]
        errors = [
            (values[k] - mp.fsum(c * basis[j][k] for j, c in enumerate(coefficients))) * weights[k]
            for k in range(len(nodes))
        ]
        extremes = _alternating(errors, skip)
        largest = max(abs(errors[k]) for k in extremes)
        while len(extremes) > size:
            extremes.pop(0 if abs(errors[extremes[0]]) < abs(errors[extremes[-1]]) else -1)
        if extremes == reference or largest < abs(solution[degree + 1]) * mp.mpf("1.02"):
            break
        reference = extremes
    return _monomials(coefficients, low, high), largest


def _alternating(errors: Sequence[mp.mpf], start: int) -> list[int]:
    """The largest error of each run of one sign."""
    extremes, run = [], [start]
    for k in range(start + 1, len(errors)):
        if (errors[k] > 0) == (errors[run[-1]] > 0):
            run.append(k)
        else:
            extremes.append(max(run, key=lambda item: abs(errors[item])))
            run = [k]
    return [*extremes, max(run, key=lambda item: abs(errors[item]))]


def _monomials(chebyshev: Sequence[mp.mpf], low: mp.mpf, high: mp.mpf) -> list[mp.mpf]:
    """Chebyshev series on [low, high] as a polynomial in the variable itself."""
    slope, shift = 2 / (high - low), -(high + low) / (high - low)

    def times(polynomial: list[mp.mpf]) -> list[mp.mpf]:
        out = [shift * c for c in polynomial] + [mp.mpf(0)]
        for power, c in enumerate(polynomial):
            out[power + 1] += slope * c
        return out

    before, this = [mp.mpf(1)], times([mp.mpf(1)])
    total = [mp.mpf(0)] * len(chebyshev)
    for order, c in enumerate(chebyshev):
        for power, b in enumerate(before):
            total[power] += c * b
        if order + 1 < len(chebyshev):
            following = [2 * c2 for c2 in times(this)]
            for power, b in enumerate(before):
                following[power] -= b
            before, this = this, following
    return total


def mills(z: mp.mpf) -> mp.mpf:
    """R(z) = N(z)/n(z)."""
    z = mp.mpf(z)
    if z < -FAR:
        return (slope_of_mills(z) - 1) / z
    return mp.sqrt(mp.pi / 2) * mp.exp(z * z / 2) * mp.erfc(-z / mp.sqrt(2))


def slope_of_mills(z: mp.mpf) -> mp.mpf:
    """R'(z) = 1 + z R(z), by its asymptotic series where the sum would cancel."""
    z = mp.mpf(z)
    if z < -FAR:
        square = 1 / (z * z)
        term = total = square
        for k in range(1, 200):
            term *= -(2 * k + 1) * square
            if abs(term) < mp.mpf(10) ** (-DIGITS) * total:
                break
            total += term
        return total
    with mp.workdps(DIGITS + 10):
        return 1 + z * mp.sqrt(mp.pi / 2) * mp.exp(z * z / 2) * mp.erfc(-z / mp.sqrt(2))


def _slope_in_v(v: mp.mpf) -> mp.mpf:
    """dS/dv where S(v) = R(CENTRE - 1/v); 1 at v = 0."""
    return mp.mpf(1) if v == 0 else slope_of_mills(CENTRE - 1 / v) / v**2


def mills_coefficients() -> tuple[list[float], float]:
    """c_1, c_2, ... of S(u): S' is fitted, so that its relative error is that of divided differences."""
    edge = mp.mpf(1) / (CENTRE + FAR)
    cached = functools.cache(_slope_in_v)
    powers, error = minimax(
        lambda u: cached((u + 1) / SCALE),
        lambda u: min(mp.mpf(1), ((u + 1) / SCALE / edge) ** 2) / cached((u + 1) / SCALE),
        mp.mpf(-1),
        SCALE / (CENTRE - TOP) - 1,
        MILLS_DEGREE,
        skip=2,
    )
    return [float(c / (power + 1)) for power, c in enumerate(powers)], float(error)


def tail_coefficients() -> tuple[list[float], float]:
    """R(-x) = v (c_0 + c_1 v + ...) for x >= 0, v = 1/(TAIL_CENTRE + x)."""

    def scaled(v: mp.mpf) -> mp.mpf:
        return mp.mpf(1) if v == 0 else mills(TAIL_CENTRE - 1 / v) / v

    cached = functools.cache(scaled)
    powers, error = minimax(cached, lambda v: 1 / cached(v), mp.mpf(0), mp.mpf(1) / TAIL_CENTRE, TAIL_DEGREE)
    return [float(c) for c in powers], float(error)


def divided_difference(coefficients: Sequence[float], z_high: mp.mpf, z_low: mp.mpf) -> mp.mpf:
    """S[v1, v2] of the rounded coefficients, in exact arithmetic."""
    u1, u2 = (SCALE / (CENTRE - z) - 1 for z in (z_high, z_low))
    b = d = mp.mpf(coefficients[-1])
    for c in coefficients[-2::-1]:
        b = b * u1 + c
        d = d * u2 + b
    return d


def check_mills(coefficients: Sequence[float]) -> float:
    """Largest relative error of R(z1) - R(z2) by the rounded coefficients."""
    worst = mp.mpf(0)
    for high in (mp.mpf(k) / 8 for k in range(-8 * 37, 12)):
        for width in ("1e-6", "0.01", "0.3", "1", "2.9"):
            low = high - mp.mpf(width)
            with mp.workdps(60):
                exact = mills(high) - mills(low)
            found = divided_difference(coefficients, high, low) * (high - low)
            worst = max(worst, abs(found / ((CENTRE - high) * (CENTRE - low)) / exact - 1))
    return float(worst)


def horner(table: Sequence[float], x: mp.mpf) -> mp.mpf:
    """The polynomial with these coefficients, constant first."""
    total = mp.mpf(0)
    for c in reversed(table):
        total = total * x + mp.mpf(c)
    return total


def _rounded(
    powers: Sequence[mp.mpf], function: Function, weight: Function, low: mp.mpf, high: mp.mpf
) -> tuple[list[float], float]:
    """The coefficients as doubles, and the largest weighted error that these leave."""
    table = [float(c) for c in powers]
    points = [low + (high - low) * k / 1000 for k in range(1001)]
    errors = (abs(horner(table, point) - function(point)) * weight(point) for point in points)
    return table, float(max(errors))


def log_coefficients() -> tuple[list[float], float]:
    """2 (atanh(r)/r - 1)/r^2 in powers of r^2, for ln(a/b) = 2 atanh(r) with |r| <= 0.1716."""
    top = (mp.sqrt(2) - 1) ** 2 / (mp.sqrt(2) + 1) ** 2

    def rest(z: mp.mpf) -> mp.mpf:
        if z < mp.mpf(10) ** -12:
            return 2 * (mp.mpf(1) / 3 + z / 5)
        root = mp.sqrt(z)
        return 2 * (mp.atanh(root) / root - 1) / z

    # weighted by its share of the logarithm, z/2 of it
    high = top * mp.mpf("1.0001")
    powers, _ = minimax(rest, lambda z: z / 2, mp.mpf(0), high, LOG_DEGREE, skip=1)
    return _rounded(powers, rest, lambda z: z / 2, mp.mpf(0), high)


def exp_coefficients() -> tuple[list[float], float]:
    """(exp(r) - 1 - r)/r^2 for |r| <= ln(2)/2."""
    top = mp.log(2) / 2 * mp.mpf("1.0001")

    def rest(r: mp.mpf) -> mp.mpf:
        if abs(r) < mp.mpf(10) ** -12:
            return mp.mpf(1) / 2 + r / 6
        return (mp.exp(r) - 1 - r) / r**2

    powers, _ = minimax(rest, lambda r: r * r + mp.mpf(10) ** -4, -top, top, EXP_DEGREE)
    return _rounded(powers, rest, lambda r: r * r, -top, top)


def rough_log_coefficients() -> tuple[list[float], float]:
    """ln(m) in powers of m - 1 for sqrt(1/2) <= m <= sqrt(2), for the seed only."""
    low, high = mp.sqrt(mp.mpf(1) / 2) - 1, mp.sqrt(2) - 1
    powers, error = minimax(mp.log1p, lambda _: mp.mpf(1), low, high, ROUGH_LOG_DEGREE)
    return [_short(c) for c in powers], float(error)


def _short(value: float) -> float:
    """Eight digits: the seed needs three, and more would depend on the linear algebra library."""
    return float(f"{float(value):.8g}")


Floats = NDArray[np.float64]


def ratio_width(k: Floats, s: Floats) -> Floats:
    """[R(h+t) - R(h-t)]/s in doubles, to the few digits that a seed needs."""
    h, t = -k / s, s / 2
    above, below, here = (math.sqrt(math.pi / 2) * erfcx(-z / math.sqrt(2)) for z in (h + t, h - t, h))
    slope = np.where(h < -14, 1 / (h * h + 3 - 6 / (h * h + 7)), 1 + h * here)
    third = (h * h + 3) * slope - 1
    return np.asarray(np.where(t < 0.02, slope + t * t * third / 6, (above - below) / s))


def log_price(k: Floats, s: Floats) -> Floats:
    """ln b of the normalised out-of-the-money price."""
    return np.log(s * ratio_width(k, s)) - ((k / s) ** 2 + s * s / 4) / 2 - math.log(2 * math.pi) / 2


def _chebyshev(u: Floats, degree: int) -> list[Floats]:
    basis = [np.ones_like(u), u]
    for _ in range(degree - 1):
        basis.append(2 * u * basis[-1] - basis[-2])
    return basis[: degree + 1]


def _levelled(design: Floats, rounds: int) -> tuple[Floats, float]:
    """Coefficients with design @ c close to 1 in the largest error (Lawson's reweighting)."""
    weights = np.ones(len(design))
    best = math.inf
    chosen: Floats = np.zeros(design.shape[1])
    for _ in range(rounds):
        root = np.sqrt(weights)
        found = np.asarray(np.linalg.lstsq(design * root[:, None], root, rcond=None)[0], dtype=np.float64)
        error: Floats = np.abs(design @ found - 1)
        if error.max() < best:
            best, chosen = float(error.max()), found
        weights *= error / error.max() + 1e-3
        weights /= weights.sum()
    return chosen, best


def _cases(n: int, seed: int) -> tuple[Floats, Floats]:
    """(k, s) over the whole fitted region: s to S_MAX, k/s to H_MAX, edges included."""
    draw = np.random.default_rng(seed)
    s = np.concatenate(
        [np.exp(draw.uniform(math.log(1e-3), math.log(S_MAX), n)), draw.uniform(0.01, S_MAX, n)]
    )
    h = np.concatenate([draw.uniform(0, H_MAX, n), np.exp(draw.uniform(math.log(1e-3), math.log(H_MAX), n))])
    draw.shuffle(h)
    s[: n // 8] = S_MAX
    h[n // 8 : n // 6], h[n // 6 : n // 5] = H_MAX, 0.0
    return h * s, s


def _coordinates(k: Floats, s: Floats) -> tuple[Floats, Floats]:
    """b + k and p = 1/(SHIFT + ln(1 + k/b))."""
    log_b = log_price(k, s)
    with np.errstate(divide="ignore"):
        w = np.logaddexp(0.0, np.log(k) - log_b)
    return np.exp(log_b) + k, 1 / (SHIFT + w)


def _expand(polynomial: Sequence[float]) -> list[float]:
    """Chebyshev in 2 SHIFT p - 1 to powers of p."""
    powers = _monomials([mp.mpf(float(c)) for c in polynomial], mp.mpf(0), mp.mpf(1) / mp.mpf(SHIFT))
    return [float(c) for c in powers]


def seed_coefficients() -> tuple[list[float], list[list[float]], float]:
    """The two stages of the seed and its largest relative error in s."""
    tiny = np.full(6001, 1e-7)
    h = np.concatenate([[0.0], np.exp(np.linspace(math.log(1e-4), math.log(H_MAX + 2), 6000))])
    total, p = _coordinates(h * tiny, tiny)
    basis = np.stack(_chebyshev(2 * SHIFT * p - 1, RATIO_DEGREE), 1)
    found, _ = _levelled(basis * (p * (total / tiny) ** 2)[:, None], 40)
    ratio = [_short(c) for c in _expand(found.tolist())]

    k, s = _cases(30_000, 5)
    total, p = _coordinates(k, s)
    a = total**2 * p * np.polyval(ratio[::-1], p)
    reach = 8.5
    in_a, in_p = (
        _chebyshev(2 * a / reach - 1, SEED_DEGREES[0]),
        _chebyshev(2 * SHIFT * p - 1, SEED_DEGREES[1]),
    )
    n, m = SEED_DEGREES
    index = [(i, j) for i in range(n + 1) for j in range(m + 1) if i * m + j * n <= n * m]
    design = np.stack([in_a[i] * in_p[j] for i, j in index], 1) * (a / s**2)[:, None]
    found, _ = _levelled(design, 60)
    by_a = [[0.0] * (max(j for i2, j in index if i2 == i) + 1) for i in range(n + 1)]
    for (i, j), c in zip(index, found, strict=True):
        by_a[i][j] = float(c)
    # Chebyshev to powers, first in p within each row, then in a across the rows
    rows = [_expand(row) for row in by_a]
    powers = [[mp.mpf(0)] * (m + 1) for _ in range(n + 1)]
    for j in range(m + 1):
        column = [mp.mpf(row[j]) if j < len(row) else mp.mpf(0) for row in rows]
        for i, c in enumerate(_monomials(column, mp.mpf(0), mp.mpf(reach))):
            powers[i][j] = c
    table = [[_short(c) for c in row[: len(by_p)]] for row, by_p in zip(powers, by_a, strict=True)]

    k, s = _cases(60_000, 6)
    error = np.abs(seed(k, s, ratio, table) / s - 1)
    return ratio, table, float(error.max())


def seed(k: Floats, s: Floats, ratio: Sequence[float], table: Sequence[Sequence[float]]) -> Floats:
    """The seed of the price at s, as the kernel works it out."""
    total, p = _coordinates(k, s)
    unit = p * np.polyval(ratio[::-1], p)
    a = total**2 * unit
    correction = np.zeros_like(a)
    for row in table[::-1]:
        correction = correction * a + np.polyval(row[::-1], p)
    return np.asarray(total * np.sqrt(unit * correction))


def _table(name: str, values: Sequence[float], note: str) -> str:
    lines = "".join(f"    {value!r},\n" for value in values)
    return f'{name} = (\n{lines})\n"""{note}"""\n'


def module() -> str:
    """Text of ``coefficients.py``; the errors are printed on the way."""
    mills_table, levelled = mills_coefficients()
    reached = check_mills(mills_table)
    tail_table, tail_error = tail_coefficients()
    log_table, log_error = log_coefficients()
    exp_table, exp_error = exp_coefficients()
    rough_table, rough_error = rough_log_coefficients()
    ratio, table, seed_error = seed_coefficients()
    for name, error in (
        ("R(z1) - R(z2), relative, levelled by the exchange", levelled),
        ("R(z1) - R(z2), relative, of the rounded coefficients", reached),
        ("R(z) for z <= 0, relative", tail_error),
        ("ln(a/b), relative", log_error),
        ("exp(r), absolute", exp_error),
        ("ln(m) of the seed, absolute", rough_error),
        (f"seed of s, relative, s <= {S_MAX}, k/s <= {H_MAX}", seed_error),
    ):
        print(f"{error:9.1e}  {name}", file=sys.stderr)  # noqa: T201
    rows = ",\n".join("    (" + "".join(f"{c!r}, " for c in row).rstrip() + ")" for row in table)
    return "\n".join(
        [
            '"""Constants of the Black kernels, written by ``tests/reference/make_black_coefficients.py``.\n',
            "`volskew.pricing.mills`, `elementary` and `black_kernels` say what each stands for; the script",
            'prints the errors again.\n"""\n',
            "# fmt: off",
            f"CENTRE = {float(CENTRE)!r}\nSCALE = {float(SCALE)!r}\nSHIFT = {SHIFT!r}\n",
            _table("MILLS", mills_table, f"R(z1) - R(z2) by divided differences: error {reached:.1e}."),
            f"TAIL_CENTRE = {float(TAIL_CENTRE)!r}\n",
            _table("TAIL", tail_table, f"R(z) for z <= 0: error {tail_error:.1e}."),
            _table("LOG", log_table, f"ln(a/b) by atanh: error {log_error:.1e}."),
            _table("EXP", exp_table, f"exp(r) on half an octave: error {exp_error:.1e}."),
            _table("ROUGH_LOG", rough_table, f"ln of a mantissa, for the seed: error {rough_error:.1e}."),
            _table("RATIO", ratio, "(s/(b+k))^2/p in powers of p, as vol sqrt(T) -> 0."),
            f"SEED = (\n{rows},\n)",
            f'"""Its correction in powers of a (rows) and p: error of the seed {seed_error:.1e}."""\n',
        ]
    )


if __name__ == "__main__":
    text = module()
    if "--write" in sys.argv:
        TARGET.write_text(text)
    else:
        print(text, end="")  # noqa: T201
