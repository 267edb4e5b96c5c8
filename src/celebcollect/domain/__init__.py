"""The words of the trade: records, reasons, errors and counts. Imports nothing of the program."""
