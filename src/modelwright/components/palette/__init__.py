"""The components that come with the package: a folder a category, a file a component."""
