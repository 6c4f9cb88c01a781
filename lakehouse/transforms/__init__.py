"""Pure DataFrame to DataFrame, one file per business verb."""
