"""The report of a data set: a section a module, each made of the tables as a part of one page."""
