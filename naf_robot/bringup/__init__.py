"""The one system description, the process runner, the launch adapter and the command line."""
