"""A study of many cells, each a training of its own in a process of its own, in a folder that is continued."""
