"""Model cards as data (TOML) and the bundled network."""
