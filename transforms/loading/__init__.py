"""Samples for training: frames, or windows of frames, decoded again with their labels, shuffled, parted and resumable."""
