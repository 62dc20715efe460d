"""Models on this machine: which there are, what shape they have, and whether they can be used at all. No torch, no network."""

from __future__ import annotations

from core.models.catalogue import Model, list_models
from core.models.resolve import resolve
from core.models.shape import Linear, ModelShape, inspect

__all__ = ["Linear", "Model", "ModelShape", "inspect", "list_models", "resolve"]
