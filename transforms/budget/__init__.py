"""The arithmetic of training compute, over facts that stand as data."""
