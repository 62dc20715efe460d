"""The window and the command line. Everything it can do, `core` can do without it; it never imports torch."""
