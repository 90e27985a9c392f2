"""tunesmith: the whole life of a specialised language model, in one program."""
