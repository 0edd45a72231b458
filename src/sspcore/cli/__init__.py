"""The command line: `sspcore query`, `explain`, `serve`, `demo`.
It translates arguments, files and terminals; it holds no query logic and refuses to know how an answer is kept."""
