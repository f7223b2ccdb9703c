"""One module per clip format, and the table of them."""
