"""What a planning meeting asks beside the estimate: how much data, how many accelerators, and which is better."""
