"""How a text of code, prose and verdicts looks wherever it is shown: on the pages of samples, runs and conversations."""
