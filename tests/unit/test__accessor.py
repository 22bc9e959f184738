"""`df.allos`, whichever of pandas and allos is imported first: in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

_QUIET = "import warnings; warnings.filterwarnings('ignore', r'\\s*Pyarrow will become')\n"
_FRAME = "print(float(pd.DataFrame({'cost_usd': [1, 2]}).allos.cost()))"


@pytest.mark.parametrize(
    "first",
    [
        "import allos\nimport pandas as pd",
        "import pandas as pd\nimport allos",
        "import allos, importlib.util\nimportlib.util.find_spec('pandas')\nimport pandas as pd",
        "import allos, sys\nfrom importlib import reload\nreload(allos)\nimport pandas as pd",
    ],
)
def test_every_frame_has_the_accessor(first: str) -> None:
    """A frame that is not of the log has it as well; pandas' loader and the finders are as before."""
    code = (
        f"{_QUIET}import sys\nbefore = len(sys.meta_path)\n{first}\n{_FRAME}\n"
        "print(len(sys.meta_path) - before, 'exec_module' in vars(pd.__spec__.loader))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )

    assert (done.stdout.splitlines(), done.stderr) == (["3.0", "0 False"], "")
