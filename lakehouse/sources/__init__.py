"""From the bytes of a report to records with their text, line numbers and cells. No Spark in here."""
