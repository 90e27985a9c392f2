"""Row filters: each looks at one row and says how sure it is that something is wrong; easy to add to."""
