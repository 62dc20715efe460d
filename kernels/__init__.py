"""Operations on tensors, one a file. Knows nothing of samples, runs or windows."""
