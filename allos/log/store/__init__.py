"""Stores of the log's rows."""
