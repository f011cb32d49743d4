"""Names on Pulumi's wire."""


def property_name(field: str) -> str:
    """Return the property of a field: snake_case becomes camelCase."""
    head, *rest = field.split("_")
    return head + "".join(word.capitalize() for word in rest)
