"""Text of ``%allos help``, ``%%allos?`` and ``?%%allos``."""

from __future__ import annotations

HELP = r"""Ask a language model; the answer streams into the cell and is a row of the log.

    %%allos [NAME <<] [PROVIDER MODEL | PROVIDER/MODEL] [flags]
    The prompt. {{ expression }} inserts a value; \{{ is two literal braces.

    %%allos compare PROVIDER/MODEL PROVIDER/MODEL ... [flags]
    The prompt for all of them; each answer streams into a column of its own.

    %%allos batch DATA PROVIDER/MODEL ... [flags]
    The prompt for each row of a table; {{ column }} is the row's value.

    answer = %allos PROVIDER/MODEL "The prompt" [flags]

Without a model the configured default answers, else the embedded one.

Flags
-----
-t, --temperature NUMBER   sampling temperature, >= 0
--max-tokens N             maximum number of tokens in the answer
-s, --system TEXT          system prompt
--params JSON              any other parameters: {"top_p": 0.5, "stop": ["END"]}
--strict                   refuse parameters that the model does not support
--schema NAME              type or JSON schema that the answer must match
--tools A,B                functions that the model may call; asks before it runs them
--image NAME               attach the image or figure in a variable; a path in quotes
--chat NAME                continue the conversation of this name
-n, --repeats N            repeats of a comparison or a batch
--mode MODE                of a batch: calls, or provider_batch for half the price within 24 hours
--executor NAME            of a batch: variable with an executor or Dask client that makes the calls
--store URL                of --executor: folder or s3://... where workers write their answers
--blind                    hide which model of a comparison is which, and ask for votes
-o, --output NAME          assign the response to this variable; same as NAME <<
-q, --quiet                show nothing
--no-stream                wait for the whole answer
--dry-run                  show the request and its estimated cost; send nothing
--budget USD               maximum cost of this cell
--refresh                  ask again, even where an answer is recorded
--no-log                   write no row of the log for this cell
--unsafe-html              run the answer's own HTML; only for answers that you trust
--base-url URL             base URL of the service

Sub-commands
------------
%allos providers [WORD]    services, those that are ready first, and where each key is made
%allos models PROVIDER     models that a service offers; a second word searches
%allos key PROVIDER        enter a key, hidden; --forget removes it, --session keeps it for this kernel
%allos log [WORDS]         newest ten responses; 20, groq, groq/MODEL, failed, today or 2h say which;
                           --grep WORDS finds words in them, off and on stop and start logging
%allos search WORDS        responses whose prompt or answer has these words
%allos last                newest response, whole
%allos show ID             comparison (cmp_...) or response of the log
%allos spent [WORDS]       cost by provider and model; today, week, 2h or groq say of what
%allos cost [WORDS]        what that cost was spent on; --by COLUMN,COLUMN groups by others
%allos summary [WORDS]     calls, failures, latency, tokens and cost; --by as above
%allos rank [DAY]          models ranked by people's votes in the log; judge:NAME by that judge's alone
%allos chats               conversations; show NAME, reset NAME, branch NAME NEW
%allos batches             batches of the log, what is done of each and its cost
%allos replay FILE [MODE]  record answers and replay them; MODE is replay, record or strict;
                           off closes the file, prune removes unused answers
%allos config              settings and where they are set
%allos doctor              check keys, log, embedded model and versions; --online asks the services too
%allos local install       install the embedded model; local status says what is there
%allos stop                stop all running comparisons and batches
%allos help                show this text

The response is _ and Out[n]; it has .content, .metadata and more.
"""
