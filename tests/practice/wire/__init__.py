"""The wire half of the practice server: TDS 7.4 and TLS 1.2 between a socket and the engine."""
