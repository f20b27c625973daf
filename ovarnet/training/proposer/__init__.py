"""Stage "proposer": the class-agnostic detector of the two-stage model (method section 2.1)."""
