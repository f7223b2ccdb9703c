"""Figures of labels against truth."""
