"""All that Gosmith can do, without Qt: callable from Python, from the command line and from the window."""
