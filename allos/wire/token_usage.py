"""Token counts that agree with each other, made of those that a service reports.

Services differ in what is a part of what, and some contradict themselves. The rules, in order:

1. Cached input is part of the input. It was counted apart, and is added, where the total says so, or
   where it is larger than the input and the total does not confirm the input. Where the total confirms
   the input, a larger cache count is unknown.
2. What the total has beyond input and output is output: reasoning that no other field counts.
3. Reasoning is part of the output; where it is larger, it was counted apart and is added.
4. An output that is not reported is the rest of the total.
5. The total is the sum of both; a total that is smaller is not kept.

So a contradiction never makes a call cheaper than it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allos.usage import Usage


def reconcile(
    raw: Mapping[str, Any],
    *,
    input_tokens: int | None,
    output_tokens: int | None,
    total_tokens: int | None = None,
    reasoning_tokens: int | None = None,
    cache_read_tokens: int | None = None,
    cache_write_tokens: int | None = None,
) -> Usage:
    """Usage of a call by the rules of this module.

    Parameters
    ----------
    raw : mapping
        The service's own usage object.
    input_tokens, output_tokens, total_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens : int or None
        What it reports; None where it does not, or where the value is not a count.

    Examples
    --------
    >>> found = reconcile({}, input_tokens=20, output_tokens=198, total_tokens=623)
    >>> found.output_tokens, found.total_tokens
    (603, 623)
    """
    given, wrote, total = input_tokens, output_tokens, total_tokens
    cached = (cache_read_tokens or 0) + (cache_write_tokens or 0)
    if given is not None and cached:
        rest = None if total is None or wrote is None else total - given - wrote
        if rest == cached != reasoning_tokens or (cached > given and rest != 0):
            given += cached
        elif cached > given:
            cache_read_tokens = cache_write_tokens = None
    if given is not None and total is not None and total >= given + (wrote or 0):
        wrote = total - given
    if wrote is not None and (reasoning_tokens or 0) > wrote:
        wrote = (output_tokens or 0) + (reasoning_tokens or 0)
    if given is not None and wrote is not None:
        total = given + wrote
    elif total is not None and total < (given or 0) + (wrote or 0):
        total = None
    return Usage(
        input_tokens=given,
        output_tokens=wrote,
        total_tokens=total,
        reasoning_tokens=reasoning_tokens,
        cache_read_tokens=cache_read_tokens,
        cache_write_tokens=cache_write_tokens,
        source="provider",
        raw=raw,
    )
