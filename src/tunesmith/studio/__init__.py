"""The same functions in a browser: review the data, look at datasets and reports."""
