"""Taking clips out of a data set: all that is known of them goes, and the rest stays sound."""
