"""The command line: one noun or verb a command, one sentence an error."""
