"""Truth as other tools write it: a module a form, and the table of them."""
