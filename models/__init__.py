"""Neural networks: model cards, files, sessions, pre- and post-processing."""
