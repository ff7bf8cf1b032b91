package broker

import "github.com/nats-io/nats.go/jetstream"

// Error codes of JetStream for which the client library has no name. Source: the
// server's errors.json.
const (
	codeAccountResources    jetstream.ErrorCode = 10002
	codeClusterIncomplete   jetstream.ErrorCode = 10004
	codeClusterNoPeers      jetstream.ErrorCode = 10005
	codeClusterUnavailable  jetstream.ErrorCode = 10008
	codeClusterNotLeader    jetstream.ErrorCode = 10009
	codeInsufficient        jetstream.ErrorCode = 10023
	codeMaximumStreams      jetstream.ErrorCode = 10027
	codeMemoryResources     jetstream.ErrorCode = 10028
	codeSequenceNotFound    jetstream.ErrorCode = 10043
	codeStorageResources    jetstream.ErrorCode = 10047
	codeDeleteFailed        jetstream.ErrorCode = 10057
	codeReplicasUnclustered jetstream.ErrorCode = 10074
	codeStoreFailed         jetstream.ErrorCode = 10077
	codeStreamOffline       jetstream.ErrorCode = 10118
	codeConsumerOffline     jetstream.ErrorCode = 10119
	codeBatchesDisabled     jetstream.ErrorCode = 10174
	codeBatchDuplicate      jetstream.ErrorCode = 10201
)
