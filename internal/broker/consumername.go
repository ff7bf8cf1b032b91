package broker

// ConsumerName is the name of the durable consumer of a lane, given the lane's subject
// without prefix and kind.
func ConsumerName(lane string) string { return durableName(lane) }
