"""Labels in other tools' formats: `formats.py` is the table of them, `exporting.py` makes an export."""
