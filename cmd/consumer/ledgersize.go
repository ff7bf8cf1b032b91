package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ledgerSizeEvery is how often the broker is asked how large the ledger is.
const ledgerSizeEvery = 30 * time.Second

// ledgerSize shows how full the ledger is: without room in it nothing is sent.
type ledgerSize struct{ bytes, limit prometheus.Gauge }

func newLedgerSize(reg prometheus.Registerer) *ledgerSize {
	s := &ledgerSize{
		bytes: prometheus.NewGauge(prometheus.GaugeOpts{Name: "sluice_ledger_bytes", Help: "Bytes that the ledger's bucket holds, as of at most 30 s ago."}),
		limit: prometheus.NewGauge(prometheus.GaugeOpts{Name: "sluice_ledger_limit_bytes", Help: "Most bytes that the ledger's bucket may hold; 0 without a limit of its own."}),
	}
	reg.MustRegister(s.bytes, s.limit)
	return s
}

// watch keeps the metrics up to date until ctx ends.
func (s *ledgerSize) watch(ctx context.Context, ask func(context.Context) (bytes, limit uint64, err error), log *slog.Logger) {
	for {
		bytes, limit, err := ask(ctx)
		if err == nil {
			s.bytes.Set(float64(bytes))
			s.limit.Set(float64(limit))
		} else if ctx.Err() == nil {
			log.Debug("cannot ask how large the ledger is; trying on", "error", err)
		}
		select {
		case <-time.After(ledgerSizeEvery):
		case <-ctx.Done():
			return
		}
	}
}
