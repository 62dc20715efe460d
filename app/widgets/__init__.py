"""Small widgets that know nothing of samples, runs or models; each in a file of its own, imported from there."""
