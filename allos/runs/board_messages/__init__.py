"""What a board's page gets of a comparison: a snapshot of everything, then what has changed.

`updates` makes the messages, for the live board and for the exported page alike.
"""
