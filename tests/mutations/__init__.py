"""Every protection of "never twice, never lost", each taken out once in a copy of the project, and the test that sees it
(`make mutations`, docs/faults.md). Which there are stands in `mutations.protections`."""
