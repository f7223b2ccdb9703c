"""The facts of the compute budget as TOML: every value with unit, source, date and kind."""
