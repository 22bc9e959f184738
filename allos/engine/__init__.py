"""One call, from request to response: loop thread, attempts, limits, time, cancel, fold.

`from_source` first: what answers instead of a service is registered in `allos.seams`, and so is who
sees each response. `start` asks the service.
"""

from __future__ import annotations

from allos.engine.call import Call, start
from allos.engine.source import from_source

__all__ = ["Call", "from_source", "start"]
