"""``python -m tests.support.fake_server``: the scripted server on its own, until a signal comes."""

from __future__ import annotations

import sys

from tests.support.fake_server.process import main

if __name__ == "__main__":
    sys.exit(main())
