"""Fused operations for training, each with its formula, forward, backward and autograd function in a file of its own.

Torch (and later Triton) only: this floor knows nothing of samples, runs or models.
"""

from __future__ import annotations
