"""The one chain of migrations, for every table of every package."""
