"""Functions of a frame of responses."""
