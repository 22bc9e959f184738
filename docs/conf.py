from __future__ import annotations

from importlib.metadata import version as installed_version

project = "allos"
author = "The allos developers"
project_copyright = author
release = installed_version("allos-jupyter")
version = release

extensions = ["myst_nb"]
exclude_patterns = ["_build", "jupyter_execute"]
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "allos"
html_show_sphinx = False
