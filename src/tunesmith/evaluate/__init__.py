"""GoldenSet x Endpoint x graders -> EvalReport, with honest statistics."""
