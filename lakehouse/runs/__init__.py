"""Jobs: stages in their frame, whole periods, closing, verification, and the work of people on a lake."""
