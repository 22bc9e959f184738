"""One call, from request to response: loop thread, attempts, limits, time, cancel, fold.

`start` is the one way in. What answers instead of a service, and who sees each response, is
registered in `allos.seams`.
"""

from __future__ import annotations

from allos.engine.call import Call, start

__all__ = ["Call", "start"]
