"""A notebook that was run, exported by nbconvert: nothing breaks, nothing comes alive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbclient import NotebookClient
from nbconvert.exporters import HTMLExporter, MarkdownExporter, PythonExporter

from tests.support.fake_server import Call, FakeServer, Reply
from tests.support.jupyter import private_environment

ANSWER = """Costs $5 or $6.

```python
a = 1


# ![x](https://evil.invalid/a.png) <script>go()</script>
```

<script>go()</script> ![alt](https://evil.invalid/b.png)
"""


@pytest.fixture
def book(tmp_path: Path) -> Iterator[nbformat.NotebookNode]:
    with FakeServer(Reply(text=ANSWER, tool_calls=[Call("f", {"a": ANSWER})])) as server:
        cells = [
            "%load_ext allos",
            "%%allos groq/a\nHi {{ 1 + 1 }}",
            "%%allos compare groq/a groq/b\nHi",
            "%%capture kept\nget_ipython().run_cell_magic('allos', 'groq/a', 'Hi')",
            "print(len(kept.outputs), sorted(kept.outputs[0].data))",
        ]
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        environment = {
            **private_environment(tmp_path),
            "GROQ_BASE_URL": server.base_url,
            "GROQ_API_KEY": "gsk-of-the-test",
        }
        NotebookClient(made, timeout=60).execute(env=environment)
        yield made


def test_exports(book: nbformat.NotebookNode) -> None:
    """HTML, Markdown and script: whole, readable, without anything that runs or loads."""
    page, _ = HTMLExporter().from_notebook_node(book)
    text, _ = MarkdownExporter().from_notebook_node(book)
    script, _ = PythonExporter().from_notebook_node(book)
    tokens = MarkdownIt("commonmark", {"html": True}).parse(text)
    children = [child.type for token in tokens for child in token.children or []]

    assert book.cells[-1].outputs[0].text == "1 ['text/html', 'text/plain']\n"
    assert page.count('<div class="allos-out') >= 2
    assert "<script>go()" not in page
    assert '<img src="https://evil' not in page
    assert "<script>go()" not in text
    assert not {"image", "html_inline"} & set(children)
    assert text.count('<div class="allos-out') >= 2
    assert "run_cell_magic('allos', 'groq/a', 'Hi {{ 1 + 1 }}" in script
    compile(script, "exported.py", "exec")
