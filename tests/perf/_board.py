"""The board that is measured: eight columns at 200 tokens/s for ten seconds, and what painting it takes."""

from __future__ import annotations

COLUMNS = 8
TOKENS_PER_S = 200
RUN_S = 10

SHOW = f"""
import time
from allos.notebook.board import make_board
c = allos.compare("Go on", models=[f"groq/m{{n}}" for n in range({COLUMNS})])
board = make_board(c)
spent_s = 0.0
step = board._flusher._step
def timed():
    global spent_s
    began = time.thread_time()
    resting = step()
    spent_s += time.thread_time() - began
    return resting
board._flusher._step = timed
display(board)
"""
"""A cell: shows the board of a comparison `c`, and adds up its CPU in `spent_s`."""
