"""Settings of the documentation: Markdown through MyST, built by Sphinx."""

project = "Elman"
author = "The Elman authors"
extensions = ["myst_parser", "sphinx-mathjax-offline"]  # formulas show without the internet
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Elman"
exclude_patterns = ["_build"]
