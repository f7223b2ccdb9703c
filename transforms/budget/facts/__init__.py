"""What is known, as data with sources (the TOML files), and how it is read and checked."""
