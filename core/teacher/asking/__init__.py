"""Between a question and its answer: pace, retries, batches, ledger, budget, prices and keys.

Knows nothing of recipes and Go. Import the parts directly: `from core.teacher.asking.asker import Asker`.
"""
