"""Real Jupyter for the tests: a kernel, and JupyterLab in a Chromium.

`Kernel` is an ipykernel behind jupyter_client; `Lab` is a JupyterLab server and a browser;
`Notebook` is one notebook open in it. Nothing here is faked, every wait has a deadline, and all
personal folders (home, Jupyter, IPython) are private to the test run.
"""

from __future__ import annotations

from tests.support.jupyter.environment import private_environment
from tests.support.jupyter.kernel import Kernel, Result
from tests.support.jupyter.lab import Lab
from tests.support.jupyter.notebook import Notebook

__all__ = ["Kernel", "Lab", "Notebook", "Result", "private_environment"]
