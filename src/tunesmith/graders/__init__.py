"""What "good" means: one grader a file, each a function of answer and expected answer."""
