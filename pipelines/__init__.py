"""What a user runs: the command line, job specs and the pipelines that wire the stages."""
