"""The embedded model behind a chat template that knows tools, in a child process.

SmolLM2's own template has none, so that llama.cpp would ignore `tools`. The values are a small
model's: check their shape, not their sense.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from allos.secret import Secret

FORCED = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' and message.tool_calls %}"
    "{% for call in message.tool_calls %}>>>{{ call.function.name }}\n"
    "{{ call.function.arguments if call.function.arguments is string"
    " else call.function.arguments | tojson }}{% endfor %}"
    "{% elif message['role'] == 'assistant' %}>>>all\n{{ message['content'] }}"
    "{% else %}{{ message['content'] }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% if tools %}>>>{% endif %}{% endif %}"
)

"""Marks each turn by ``>>>name``. With a forced choice llama.cpp holds the model to a call by a
grammar; free text it cannot read."""

FREE = (
    "{% if tools %}<|im_start|>system\nYou may call tools.\n<tools>\n"
    "{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}</tools><|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' and message.tool_calls %}"
    "{% for call in message.tool_calls %}"
    '<tool_call>\n{"name": "{{ call.function.name }}", "arguments": '
    "{{ call.function.arguments if call.function.arguments is string"
    " else call.function.arguments | tojson }}}\n</tool_call>{% endfor %}"
    "{% else %}{{ message['content'] }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Marks calls by ``<tool_call>``. The model decides: it calls and answers as it sees it done in the
conversation before; a forced choice is ignored."""

CHILD = """
import json, os, sys
import xllamacpp
order = json.loads(sys.stdin.readline())
report = os.dup(1)
os.dup2(2, 1)
params = xllamacpp.CommonParams()
params.model.path = order["path"]
params.model_alias = {"smollm2"}
params.chat_template = order["template"]
params.n_ctx, params.n_parallel = 4096, 2
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [order["key"]]
params.warmup = params.ui = False
params.cache_ram_mib, params.verbosity = 0, 1
server = xllamacpp.Server(params)
os.write(report, (server.listening_address + "\\n").encode())
sys.stdin.read()
os._exit(0)
"""


class ToolServer:
    """A server of its own; ends with the `with` block, or with this process."""

    def __init__(self, model: Path, template: str = FORCED) -> None:
        self.key = Secret("sk-tools-0123456789")
        self._order = {"path": str(model), "template": template, "key": self.key.reveal()}

    def __enter__(self) -> Self:
        self._child = subprocess.Popen(
            [sys.executable, "-c", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(self._order) + "\n")
        self._child.stdin.flush()
        address = self._child.stdout.readline().strip()
        assert address, "the server did not start"
        self.base_url = f"{address}/v1"
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._child.communicate()
