"""The version of the package, for the build and for `client.sdk_version`."""

__version__ = "0.1.0"
