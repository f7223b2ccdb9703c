"""Which drives a network learns from, and which it is judged by."""
