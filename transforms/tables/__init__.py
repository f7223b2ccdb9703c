"""The data set on disk: schemas, ids, layout, reading, writing, committing, checking."""
