"""`store`: download, prove, keep."""
