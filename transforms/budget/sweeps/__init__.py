"""Sweeps: a grid of budget scenarios, and each of them as rows of one table."""
