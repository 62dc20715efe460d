"""Samples: what they are, how they are found, changed, checked, taken in and handed on.

Import the parts directly: `from core.samples import store, query, edits`.
"""
