"""Where a key may go, and where it comes from."""
