"""The command line, one file per group of commands; every heavy import is inside its command."""
