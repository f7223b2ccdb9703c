"""Why a box is there: rows of a data set derived again from the bytes of their clips, step by step."""
