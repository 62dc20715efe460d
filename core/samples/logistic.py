"""Logistic regression with an L2 penalty, fitted by L-BFGS (Nocedal 1980), and how well scores tell two classes apart.

Written here because the window's Python carries numpy and nothing larger; deterministic, no random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]
    Vector = np.ndarray[tuple[int], np.dtype[np.float64]]

_MEMORY = 8


@dataclass(frozen=True, slots=True)
class Fit:
    """P(y = 1 | x) = 1 / (1 + exp(-(x · weights + bias)))."""

    weights: Vector
    bias: float

    def probability(self, rows: Matrix) -> Vector:
        """Of each row."""
        import numpy as np

        return _sigmoid((rows @ self.weights.astype(np.float32)).astype(np.float64) + self.bias)


def fit(rows: Matrix, wanted: Vector, *, penalty: float = 1.0, steps: int = 100) -> Fit:
    """Minimise sum of -log P(wanted | row) + penalty/2 · |weights|². wanted: 0 or 1 for each row; the bias is free.

    Products with the matrix are taken in its own single precision: numpy would copy it whole at each of them otherwise.
    """
    import numpy as np

    width = rows.shape[1]
    transposed = np.ascontiguousarray(rows.T)

    def loss(point: Vector) -> tuple[float, Vector]:
        scores = (rows @ point[:width].astype(np.float32)).astype(np.float64) + point[width]
        residual = _sigmoid(scores) - wanted
        value = np.logaddexp(0.0, scores).sum() - wanted @ scores + 0.5 * penalty * point[:width] @ point[:width]
        gradient = np.empty(width + 1)
        gradient[:width] = transposed @ residual.astype(np.float32) + penalty * point[:width]
        gradient[width] = residual.sum()
        return float(value), gradient

    point = np.zeros(width + 1)
    value, gradient = loss(point)
    moves: list[tuple[Vector, Vector]] = []
    for _ in range(steps):
        direction = -_times_inverse_hessian(gradient, moves)
        slope = float(gradient @ direction)
        if slope > -1e-9 * max(1.0, abs(value)):
            break
        size = 1.0 if moves else 1.0 / max(1.0, float(np.abs(gradient).sum()))
        while True:
            ahead, ahead_gradient = loss(point + size * direction)
            if ahead <= value + 1e-4 * size * slope or size < 1e-10:
                break
            size *= 0.5
        step, change = size * direction, ahead_gradient - gradient
        if float(step @ change) > 1e-12:
            moves = [*moves[1 - _MEMORY :], (step, change)]
        point, value, gradient = point + step, ahead, ahead_gradient
    return Fit(point[:width], float(point[width]))


def _times_inverse_hessian(gradient: Vector, moves: list[tuple[Vector, Vector]]) -> Vector:
    """The two loops of L-BFGS."""
    result = gradient.copy()
    factors = []
    for step, change in reversed(moves):
        factor = float(step @ result) / float(step @ change)
        result -= factor * change
        factors.append(factor)
    if moves:
        step, change = moves[-1]
        result *= float(step @ change) / float(change @ change)
    for (step, change), factor in zip(moves, reversed(factors), strict=True):
        result += (factor - float(change @ result) / float(step @ change)) * step
    return result


def _sigmoid(scores: Vector) -> Vector:
    import numpy as np

    return np.exp(-np.logaddexp(0.0, -scores))


def area_under_curve(scores: Vector, wanted: Vector) -> float:
    """Probability that a row of class 1 scores higher than one of class 0, ties counting half; 0.5 is guessing."""
    positive = float(wanted.sum())
    negative = len(wanted) - positive
    if not positive or not negative:
        return 0.5
    return (float(midranks(scores)[wanted == 1].sum()) - positive * (positive + 1) / 2) / (positive * negative)


def midranks(scores: Vector) -> Vector:
    """The place of each score in their order, from 1; equal scores share the mean of their places."""
    import numpy as np

    order = np.argsort(scores, kind="stable")
    _, first, counts = np.unique(scores[order], return_index=True, return_counts=True)
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(first + (counts + 1) / 2, counts)
    return ranks
