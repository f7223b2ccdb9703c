"""What the priors of utilisation rest on: published runs, the prediction they allow, and how well it holds."""
