"""What a cluster gives: pools on a date, layouts that fit, failures, loaders."""
