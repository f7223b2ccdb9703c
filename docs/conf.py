"""The pages of this folder as a site: `make site` writes it to build/site."""

project = "clipmill"
extensions = ["myst_parser"]
myst_heading_anchors = 4  # headings can be linked to as on GitHub
smartquotes = False  # two hyphens are an option, not a dash
html_theme = "alabaster"
html_theme_options = {
    "description": "Car-camera clips in; labelled Parquet shards and a training budget out.",
    "page_width": "1100px",
    "sidebar_includehidden": False,
}
html_copy_source = False
html_show_copyright = False
