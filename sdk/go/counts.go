package falconer

import (
	"net/http"
	"sync/atomic"
)

// Counts are how requests were decided since the start, for the metrics of a service.
type Counts struct {
	// Allowed and Denied: the credentials held, or there were none, and the scopes sufficed or not.
	Allowed, Denied uint64
	// Failed: the credentials did not hold, or Falconer could not be asked about such a request.
	Failed uint64
	// Unavailable: Falconer did not answer, or it was not asked because it had not answered before.
	Unavailable uint64
}

type counts struct{ allowed, denied, failed, unavailable atomic.Uint64 }

func (c *counts) count(decision Decision) {
	switch {
	case decision.Caller != nil:
		c.allowed.Add(1)
	case decision.Refusal.Status == http.StatusForbidden:
		c.denied.Add(1)
	case decision.Refusal.Status == http.StatusServiceUnavailable:
		c.unavailable.Add(1)
	default:
		c.failed.Add(1)
	}
}

// Counts are those of this verifier.
func (v *Verifier) Counts() Counts {
	return Counts{v.counts.allowed.Load(), v.counts.denied.Load(), v.counts.failed.Load(), v.counts.unavailable.Load()}
}
