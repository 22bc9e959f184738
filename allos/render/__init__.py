"""Untrusted text to safe HTML, and its plain-text twins. The only maker of HTML in allos.

``markdown`` renders an answer, ``cell`` a whole response as a cell shows it, ``plain`` makes any
text safe for a terminal and for the time while it streams, ``format`` writes numbers, ``style``
holds the one style sheet.
"""
