"""Curves of runs: drawn fast, laid over each other, measured and exported. Knows runs only as curves with a name and a colour."""

from __future__ import annotations
