"""The page in the browser: what is drawn, from messages or from stored steps, and the server that draws it."""
