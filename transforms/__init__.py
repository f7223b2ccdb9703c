"""Beam stages (the files here) over plain Python (the folders here, which never import Beam)."""
