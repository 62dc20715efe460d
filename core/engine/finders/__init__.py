"""Finders: short tries of a run that suggest one of its settings, with a sentence that says why and by whose method.

They train with the loop's own functions and on the run's own rows, and throw away what they have trained. None changes a
configuration; that is for the person who asked.
"""
