package events

// plain reports that a document satisfies the schema of its operation for sure, as
// nearly all do: nothing but the members that every operation takes, in their plainest
// form. The schema decides on all others, and says what is wrong with them.
func plain(operation string, doc any) bool {
	fields, ok := doc.(map[string]any)
	if !ok || operation == Restore || fields["vendor"] == "tencent-crs" {
		return false // these may need more than the plain members
	}
	required := 0
	for name, value := range fields {
		switch name {
		case "vendor", "account", "region", "instanceId":
			required++
			ok = filled(value)
		case "clientToken":
			token, isText := value.(string)
			ok = isText && validToken(token)
		case "priority":
			priority, isText := value.(string)
			ok = isText && isPriority(priority)
		case "dryRun":
			_, ok = value.(bool)
		case "parameters":
			parameters, isObject := value.(map[string]any)
			ok = isObject && len(parameters) == 0
		default:
			return false
		}
		if !ok {
			return false
		}
	}
	return required == 4
}

// filled reports a text that is there and no longer than any schema allows.
func filled(value any) bool {
	s, ok := value.(string)
	return ok && s != "" && len(s) <= 128
}
