"""A stand-in for the AWS services that the program talks to, for tests only. See serve.py for how to start it."""
