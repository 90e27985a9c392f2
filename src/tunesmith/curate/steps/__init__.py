"""Steps that look at all rows together: each takes the rows and says which to leave out, why, and for which other."""
