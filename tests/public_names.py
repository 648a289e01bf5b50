LOADED_BY_NAME: dict[str, str] = {}
FOR_TOOLS: dict[str, str] = {}
FOR_TESTS: dict[str, str] = {}
