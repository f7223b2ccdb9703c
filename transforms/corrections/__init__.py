"""What people correct in labels: read from their tools' files, kept beside the labels, and applied whenever clips are labelled."""
