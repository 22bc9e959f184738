"""Where the rows of the log are stored: the `Store` protocol and the SQLite store."""
