"""Measuring students on problems that nobody may train on. No torch."""
