"""Fused operations for training and answering, each with its formula, forward, backward and autograd function in a file of its own.

Torch and Triton only: this floor knows nothing of samples, runs or files.
"""

from __future__ import annotations
