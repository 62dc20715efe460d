"""The playground: choose a model, set how it samples, talk to it, and see what it really used."""
