"""What `models.flops` must know of a graph: shapes of its tensors, and the work of its operators."""
