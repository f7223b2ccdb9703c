"""Synthetic drives with exact truth."""
