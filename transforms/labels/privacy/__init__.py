"""Faces and plates, found to be blurred in every picture that leaves; plain Python."""
