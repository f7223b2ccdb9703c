"""Training of the bundled detector (extra `train`)."""
