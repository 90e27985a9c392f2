"""Words only: parse, call one function, print."""
