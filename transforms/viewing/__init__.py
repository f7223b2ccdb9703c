"""What the local viewer shows: a data set's drives, their clips, boxes in windows of time, and where to jump to."""
