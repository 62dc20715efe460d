"""The Evaluation page: checkpoints measured on Go problems."""
