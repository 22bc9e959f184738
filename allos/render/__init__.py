"""Untrusted text to safe HTML and plain text. The only layer that makes HTML.

``markdown`` renders an answer, ``answer`` a whole response as a cell shows it, ``comparison_view``
holds what a table or a board draws of a comparison, ``comparison_table`` and ``comparison_text``
draw it. ``plain`` makes any text safe for a terminal and while it streams, ``format`` writes numbers,
``style`` holds the one style sheet.
"""
