"""The site model and the components that make a site real."""
