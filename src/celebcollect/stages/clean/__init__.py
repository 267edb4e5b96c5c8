"""`clean`: decide which pictures stay."""
