"""Review in tools that people have already: examples out to Argilla and Label Studio, decisions back in."""
