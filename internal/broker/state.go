package broker

import "github.com/nats-io/nats.go"

// onConnected runs on every connection made. Pull requests do not outlive a
// connection, so the queues ask anew.
func (c *Conn) onConnected(nc *nats.Conn, again bool) {
	url := nc.ConnectedUrlRedacted()
	if c.opts.Server != nil {
		url = "in-process" // the client library reports a default address there
	}
	c.log.Info("connected to NATS", "server", nc.ConnectedServerName(), "url", url, "again", again)
	if !knowsBatches(nc) {
		for _, g := range c.groups {
			g.takes.Store(false)
		}
	}
	if again {
		c.requests.hear()
		if err := c.inbox.open(nc); err != nil {
			c.log.Error("cannot listen for messages after reconnecting", "error", err)
		}
	}
	c.inbox.wakeAll()
	c.tell(true)
}

func (c *Conn) onDisconnected(err error) {
	if c.life.Err() == nil {
		c.log.Warn("NATS connection lost", "error", err)
	}
	c.requests.failAll(errLost)
	c.tell(false)
}

// onFailedAttempt logs a reason once, not once per attempt. Like all of these
// handlers it may run before Connect has the connection in hand.
func (c *Conn) onFailedAttempt(err error) {
	before := c.lastErr.Swap(&err)
	if before == nil || (*before).Error() != err.Error() {
		c.log.Warn("cannot connect to NATS, trying on", "error", explained(c.opts, err))
	}
}

func (c *Conn) tell(connected bool) {
	if c.opts.OnState != nil {
		c.opts.OnState(connected)
	}
}

// onError takes what belongs to no call of ours: above all, that a publish was
// forbidden, which the caller sees only as a time-out.
func (c *Conn) onError(sub *nats.Subscription, err error) {
	if c.arrivals.excuses(sub, err) {
		return
	}
	c.log.Warn("NATS reports an error", "error", err)
	if refusal := forbiddenBy(err); refusal != nil {
		c.forbid(refusal)
	}
}
