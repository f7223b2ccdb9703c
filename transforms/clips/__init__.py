"""Clips: their names and containers, probing, decoding and frame sampling."""
