"""What a training must compute: the data set's figures, tokens and FLOPs."""
